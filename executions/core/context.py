"""What the references of a node see: bindings made when the plan was, values as they are now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from handlers import JSONObject, JSONValue
from workflows.core import MISSING, UNKNOWN, Absent, EvaluationError, walk
from workflows.core.plan import Binding, Source

Path: TypeAlias = Sequence[str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What there is to read for one attempt."""

    outputs: Mapping[str, JSONValue]  # of the visible nodes that ran, by node id
    containers: Mapping[str, JSONObject] = field(default_factory=dict)  # by id, of those it is in: container_context()
    variables: JSONObject
    inputs: JSONObject
    env: Mapping[str, str]
    now_ms: int  # epoch milliseconds of the attempt's start


Reads: TypeAlias = Mapping[str, Binding]  # first name of a reference → what it means

_OUTPUTS: Final = (Source.NODE, Source.INPUT)
_CONTEXTS: Final = (Source.LOOP, Source.PARALLEL, Source.ITEM, Source.INDEX)


def nodes_read(reads: Reads) -> set[str]:
    """The nodes whose outputs may be looked at; no other is loaded."""
    return {name for binding in reads.values() if binding.source in _OUTPUTS for name in binding.nodes}


def containers_read(reads: Reads) -> dict[str, set[str]]:
    """The containers around it whose context is looked at, and what of it must be fetched: `Binding.needs`."""
    needs: dict[str, set[str]] = {}
    for binding in reads.values():
        if binding.source in _CONTEXTS:
            needs.setdefault(binding.nodes[0], set()).update(binding.needs)
    return needs


def reads_any(reads: Reads, *sources: Source) -> bool:
    return any(binding.source in sources for binding in reads.values())


def container_context(
    container: str, index: int, *, total: int | None = None, item: JSONValue = None, results: JSONValue = None
) -> JSONObject:
    """What `loop` or `parallel` is inside iteration or branch *index* of *container*."""
    return {
        "index": index,
        "iteration": index + 1,
        "first": index == 0,
        "last": None if total is None else index == total - 1,
        "total": total,
        "item": item,
        "currentItem": item,
        "branchId": f"{container}[{index}]",
        "results": results,
    }


def lookup(reads: Reads, values: Values) -> Callable[[Path], JSONValue | Absent]:  # noqa: C901 -- of what it returns
    """The function that answers references. Raises EvaluationError for an `env` name that is not set."""

    def find(path: Path) -> JSONValue | Absent:  # noqa: C901 -- one case per source
        binding = reads[str(path[0])]
        rest = path[1:]
        match binding.source:
            case Source.NODE:
                return _output(binding, rest, values.outputs)
            case Source.VARIABLE:
                return walk(values.variables.get(str(path[0])), rest)
            case Source.VAR:
                return walk(values.variables, rest) if rest and rest[0] in values.variables else UNKNOWN
            case Source.INPUTS:
                return walk(values.inputs, rest)
            case Source.INPUT:
                return _input(str(path[0]), rest, values, binding)
            case Source.ENV:
                return _env(rest, values.env)
            case Source.LOOP | Source.PARALLEL:
                return walk(values.containers[binding.nodes[0]], rest)
            case Source.ITEM:
                return walk(values.containers[binding.nodes[0]]["item"], rest)
            case Source.INDEX:
                return walk(values.containers[binding.nodes[0]]["index"], rest)
            case Source.NOW:
                return values.now_ms
            case Source.ABSENT:  # not upstream, so the name goes on to the inputs
                return walk(values.inputs[str(path[0])], rest) if path[0] in values.inputs else MISSING

    return find


def _input(name: str, rest: Path, values: Values, binding: Binding) -> JSONValue | Absent:
    if name in values.inputs:
        return walk(values.inputs[name], rest)
    for node_id in reversed(binding.nodes):  # an `input` node: its output has the default of an input not given
        found = values.outputs.get(node_id)
        if isinstance(found, dict) and name in found:
            return walk(found[name], rest)
    return MISSING if binding.nodes else UNKNOWN


def _output(binding: Binding, rest: Path, outputs: Mapping[str, JSONValue]) -> JSONValue | Absent:
    for node_id in reversed(binding.nodes):  # of several with one name, the later in plan order that ran
        if node_id in outputs:
            found = outputs[node_id]
            if rest and rest[0] == binding.alias and not (isinstance(found, dict) and binding.alias in found):
                rest = rest[1:]  # {{node.outputVariable.path}} is {{node.path}}
            return walk(found, rest)
    return MISSING


def _env(rest: Path, env: Mapping[str, str]) -> JSONValue | Absent:
    if not rest or rest[0] not in env:
        name = rest[0] if rest else ""
        raise EvaluationError(
            f"the workspace has no variable {name!r}; add it, or correct the name", code="missing_env"
        )
    return env[str(rest[0])]
