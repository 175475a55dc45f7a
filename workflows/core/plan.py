"""The plan: a definition compiled for running. Immutable values with a versioned JSON form.

A plan is stored with its workflow version and outlives every edit, so `dump` and `load` are a contract with the past:
what an older format lacks gets its meaning in `load`, never in the scheduler.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from handlers import Effect, JSONObject, JSONValue, Lane
from handlers.base import ContainerKind as ContainerKind  # a part of the plan that node types own

FORMAT = 2  # 2: containers

DEFAULT_TIMEOUT_MS = 600_000  # per attempt; ten minutes, as the existing product allows an activity


class EdgeType(StrEnum):
    """When an edge is taken."""

    SUCCESS = "success"  # its node completed
    PORT = "port"  # its node completed and chose the port
    ERROR = "error"  # its node failed
    BODY = "body"  # from a container to a node of its body; no join waits for it
    BACK = "back"  # from a node of a body to its container: ends the iteration or branch; no join waits for it


class Source(StrEnum):
    """Where the first name of a reference leads."""

    NODE = "node"  # output of a node upstream: of several, the last in plan order that ran
    ABSENT = "absent"  # a node that is not upstream: yields what a skipped node yields, unless an input has its name
    VARIABLE = "variable"  # workflow variable, by its bare name
    VAR = "var"  # var.<name>
    INPUTS = "inputs"  # all the run's inputs: inputs.<name>, trigger.<name>
    INPUT = "input"  # one input by its bare name; unknown when neither the run nor an `input` node has that name
    ENV = "env"  # env.<NAME>
    NOW = "now"  # $now, epoch milliseconds of the node run's start
    LOOP = "loop"  # context of a loop around the node, by `loop` or by its id
    PARALLEL = "parallel"  # context of a parallel around the node, likewise
    ITEM = "item"  # the item of a container around the node, by the name that its itemVariable gives
    INDEX = "index"  # its index, by the name that its indexVariable gives


class OnErrorStrategy(StrEnum):
    FAIL = "fail"
    CONTINUE = "continue"  # completed, with the error as output
    FALLBACK = "fallback"  # completed, with the fallback value as output
    GOTO = "goto"  # an error edge that is not drawn; the planner draws it


class OnInterrupted(StrEnum):
    """What becomes of a node whose worker was lost in the middle: what it did outside may have been done."""

    RERUN = "rerun"  # another attempt, with the same idempotency key
    FAIL = "fail"


class OnFailure(StrEnum):
    """What the first unhandled failure does to the rest of its scope."""

    STOP = "stop"  # nothing new starts
    FINISH_BRANCHES = "finish-branches"  # what does not depend on it still runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What the first name of a reference was resolved to when the plan was made."""

    source: Source
    # Source.NODE: candidates in plan order; the last that ran is read. Source.INPUT: `input` nodes upstream that hand
    # on the input; where the run was started without it, their output has its default under its name. Source.LOOP,
    # PARALLEL, ITEM, INDEX: the one container.
    nodes: tuple[str, ...] = ()
    alias: str | None = None  # Source.NODE by id: its outputVariable, understood as a first step that may be left out
    # What of a container's context is read and must be fetched, sorted: of `item`, `results` and `total`. Its index and
    # what follows from it costs nothing.
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNode:
    """A node that can take part in a run."""

    id: str
    type: str  # canonical: aliases are gone
    name: str
    config: JSONObject  # as drawn, with what an alias of the type implies
    effect: Effect
    lane: Lane
    cheap: bool = False
    source: bool = False  # a root of an input kind
    terminal: bool = False  # an `output` node at the top level: what it produces is the run's
    responds: bool = False  # a `response` node
    delegates: bool = False  # its outcome is the end of a run that it starts
    pauses: bool = False  # it may wait for something outside
    disabled: bool = False
    on_error: OnErrorStrategy = OnErrorStrategy.FAIL
    fallback_value: JSONValue = None
    on_interrupted: OnInterrupted = OnInterrupted.RERUN
    timeout_ms: int = DEFAULT_TIMEOUT_MS  # per attempt
    retry: JSONObject | None = None  # as drawn, over what its type says; None: the default of its effect
    parent: str | None = None  # the container whose body it belongs to; None: top level
    container: ContainerKind | None = None  # what runs its body, if it has one
    reads: Mapping[str, Binding] = field(default_factory=dict)  # first names of its references
    # First names in its deferred fields. Apart, since in its own condition `loop` is the loop itself, and in its other
    # fields the loop around it.
    deferred_reads: Mapping[str, Binding] = field(default_factory=dict)
    writes: str | None = None  # the workflow variable it sets


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEdge:
    """A way from one node to another, and what makes it taken."""

    source: str
    target: str
    type: EdgeType
    # EdgeType.PORT: the port. EdgeType.BACK: how it leaves its source: None by success, else `error` or a port.
    port: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a run needs to know of its workflow."""

    nodes: tuple[PlanNode, ...]  # in plan order: by number of nodes upstream in its own scope, then by id
    edges: tuple[PlanEdge, ...]  # no two alike
    entry: str  # where a run starts unless it is told another root
    variables: JSONObject = field(default_factory=dict)  # initial values
    timeout_ms: int | None = None  # of the whole run; None: no deadline
    max_concurrent_nodes: int = 100
    on_failure: OnFailure = OnFailure.STOP

    def dump(self) -> JSONObject:
        """JSON form, `load` turned round. Values that equal their default are left out."""
        return {
            "format": FORMAT,
            "nodes": [_dump_node(node) for node in self.nodes],
            "edges": [[edge.source, edge.target, edge.type.value, edge.port] for edge in self.edges],
            "entry": self.entry,
            "variables": self.variables,
            "timeout_ms": self.timeout_ms,
            "max_concurrent_nodes": self.max_concurrent_nodes,
            "on_failure": self.on_failure.value,
        }


class PlanTooNew(ValueError):
    """The plan was made by a newer release than this one; upgrade this process before it takes runs."""


def load_plan(data: Mapping[str, Any]) -> Plan:
    """The plan of its JSON form. Raises PlanTooNew for a format this release does not know."""
    if data["format"] > FORMAT:
        raise PlanTooNew(f"plan format {data['format']}, this release reads up to {FORMAT}")
    return Plan(
        nodes=tuple(_load_node(node) for node in data["nodes"]),
        edges=tuple(
            PlanEdge(source=source, target=target, type=EdgeType(kind), port=port)
            for source, target, kind, port in data["edges"]
        ),
        entry=data["entry"],
        variables=data["variables"],
        timeout_ms=data["timeout_ms"],
        max_concurrent_nodes=data["max_concurrent_nodes"],
        on_failure=OnFailure(data["on_failure"]),
    )


_PLAIN = (
    "cheap",
    "source",
    "terminal",
    "responds",
    "delegates",
    "pauses",
    "disabled",
    "fallback_value",
    "timeout_ms",
    "retry",
    "parent",
    "writes",
)
_DEFAULTS = {name: PlanNode.__dataclass_fields__[name].default for name in (*_PLAIN, "on_error")}


def _dump_node(node: PlanNode) -> JSONObject:
    data: JSONObject = {
        "id": node.id,
        "type": node.type,
        "name": node.name,
        "config": node.config,
        "effect": node.effect.value,
        "lane": node.lane.value,
    }
    data |= {name: getattr(node, name) for name in _PLAIN if getattr(node, name) != _DEFAULTS[name]}
    if node.on_error is not OnErrorStrategy.FAIL:
        data["on_error"] = node.on_error.value
    if node.on_interrupted is not OnInterrupted.RERUN:
        data["on_interrupted"] = node.on_interrupted.value
    if node.container is not None:
        data["container"] = node.container.value
    for field_name in ("reads", "deferred_reads"):
        if reads := getattr(node, field_name):
            data[field_name] = {name: _dump_binding(read) for name, read in reads.items()}
    return data


def _dump_binding(read: Binding) -> JSONValue:
    data: list[JSONValue] = [read.source.value, [*read.nodes], read.alias]
    return [*data, [*read.needs]] if read.needs else data


def _load_binding(source: str, nodes: list[str], alias: str | None, needs: Sequence[str] = ()) -> Binding:
    return Binding(source=Source(source), nodes=tuple(nodes), alias=alias, needs=tuple(needs))


def _load_node(data: Mapping[str, Any]) -> PlanNode:
    return PlanNode(
        id=data["id"],
        type=data["type"],
        name=data["name"],
        config=data["config"],
        effect=Effect(data["effect"]),
        lane=Lane(data["lane"]),
        on_error=OnErrorStrategy(data.get("on_error", "fail")),
        on_interrupted=OnInterrupted(data.get("on_interrupted", "rerun")),
        container=ContainerKind(data["container"]) if "container" in data else None,
        reads={name: _load_binding(*read) for name, read in data.get("reads", {}).items()},
        deferred_reads={name: _load_binding(*read) for name, read in data.get("deferred_reads", {}).items()},
        **{name: data[name] for name in _PLAIN if name in data},
    )
