"""One vector as a small workflow: its context drawn around a single node, run, and what came of that node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Final

from handlers import Effect, Lane, Lent, NodeConfig, NodeHandler, NodeInput, NodeOutput, Pause, Resumed
from handlers import catalogue as built_in
from handlers.base import FieldKind
from handlers.chunking import chunk_structured, chunk_text
from handlers.nodes.human_review import HumanReview, HumanReviewConfig
from handlers.nodes.wait import Wait, WaitConfig
from handlers.registry import Catalogue, NodeType
from tests.conformance.simulation import simulate
from workflows.core.templates import written_references

PROBE: Final = "probe"
UNDEFINED: Final = {"$undefined": True}
ANY_TIME: Final = {"$time": True}
DEFAULT_CHUNK: Final = 500  # characters
SMALL_CHUNK: Final = 50
RECORDED: Final = datetime(2026, 11, 20, 6, 23, 1, 272_000, tzinfo=UTC)


@dataclass(frozen=True)
class Refused:
    """Nothing came of it: validation refuses the workflow, or the node fails."""

    why: str


class KnownConfig(NodeConfig):
    data: Annotated[Any, FieldKind.RAW] = None


class Known(NodeHandler[KnownConfig]):
    """Has the output that the vector says."""

    Config = KnownConfig

    def run(self, node: NodeInput[KnownConfig], lent: Lent) -> NodeOutput:
        return NodeOutput(data=node.config.data)


class Asking(HumanReview):
    """Says what it asks, in the words of the record, and waits for nobody."""

    def run(self, node: NodeInput[HumanReviewConfig], lent: Lent) -> NodeOutput:
        asked = super().run(node, lent).signal
        assert isinstance(asked, Pause)
        words = {"minimum": "min", "maximum": "max"}
        bounds = {words.get(name, name): bound for name, bound in (asked.schema or {}).items() if name != "type"}
        told = {"placeholder": asked.form.get("placeholder"), "validation": bounds}
        return NodeOutput(
            data={
                "waitingFor": asked.state["variableName"],
                "inputType": asked.form["inputType"],
                "prompt": asked.prompt,
                **{name: value for name, value in told.items() if value},
            }
        )


class Waking(Wait):
    """Wakes at once, on the day of the record; its times are any."""

    def run(self, node: NodeInput[WaitConfig], lent: Lent) -> NodeOutput:
        output = super().run(replace(node, now=RECORDED), lent)
        if isinstance(pause := output.signal, Pause) and pause.wakes_at is not None:
            woken = Resumed(
                node_id="", scope="", state=pause.state, answer=None, paused_at=RECORDED, now=pause.wakes_at
            )
            output = self.resume(woken)
        assert isinstance(output.data, dict)
        times = dict.fromkeys(("startTime", "endTime", "actualWaitDuration"), ANY_TIME)
        return NodeOutput(data={**output.data, **{name: times[name] for name in times if name in output.data}})


@cache
def catalogue() -> Catalogue:
    made = Catalogue()
    played = {"humanReview": Asking(), "wait": Waking()}
    for name, node_type in built_in.items():
        made.add(replace(node_type, handler=played[name], pauses=False) if name in played else node_type)
    known = {"category": "test", "title": "known", "effect": Effect.PURE, "lane": Lane.DRIVE}
    made.add(NodeType(name="known", handler=Known(), **known))
    return made


def of_node(vector: Mapping[str, Any]) -> Any:
    """What the node type and configuration of *vector* give."""
    given = dict(vector["config"])
    return _run(given, vector, node_type=vector["type"])


def of_transform(vector: Mapping[str, Any]) -> Any:
    """A transform whose `${path}`, which an import would rewrite, is a reference."""
    given = vector["config"].get("inputData")
    data = f"{{{{{given[2:-1]}}}}}" if isinstance(given, str) and given.startswith("${") else given
    return of_node({**vector, "config": {**vector["config"], "inputData": data}})


def of_condition(vector: Mapping[str, Any]) -> Any:
    """A conditional over names that are all there. The sides as read are those of the family `conditional`."""
    found = _run(vector["config"], {"variables": vector["context"]}, node_type="conditional")
    return found if isinstance(found, Refused) else {key: found[key] for key in ("branch", "conditionMet")}


def of_comparison(vector: Mapping[str, Any]) -> Any:
    """Whether a comparison holds, of values that are no text to be resolved."""
    left, operator, right = (None if value == UNDEFINED else value for value in vector["args"])
    config = {"leftValue": left, "operator": operator, "rightValue": right}
    found = _run(config, {}, node_type="conditional")
    return found if isinstance(found, Refused) else found["conditionMet"]


def of_reading(vector: Mapping[str, Any]) -> Any:
    """What a text stands for on a side of a comparison."""
    config = {"leftValue": vector["args"][0], "operator": "isNull"}
    found = _run(config, {}, node_type="conditional")
    return found if isinstance(found, Refused) else found["leftValue"]


def of_reference(vector: Mapping[str, Any]) -> Any:
    """The value of one reference."""
    text = vector["text"]
    return _probe(text if text.startswith("{{") else f"{{{{{text}}}}}", vector)


def of_text(vector: Mapping[str, Any]) -> Any:
    """A text with its references filled in."""
    return _probe(vector["text"], vector)


def of_interpolation(vector: Mapping[str, Any]) -> Any:
    """A text over a flat context, always text; or with its type when it is one reference."""
    text, context = vector["args"][:2]
    if vector["fn"] == "interpolateWithObjectSupport":
        return _probe(text, {"variables": context})
    found = _probe(f"{text}.", {"variables": context})  # a full stop keeps it from being one reference
    return found if isinstance(found, Refused) else found.removesuffix(".")


def of_names(vector: Mapping[str, Any]) -> Any:
    """What is written between braces."""
    return [written[1].strip() for written in written_references(vector["args"][0])]


def of_chunks(vector: Mapping[str, Any]) -> Any:
    """A text in pieces. Which sizes it was recorded with is told by the lengths of the result alone."""
    text, metadata = vector["args"][0], (vector["args"][1:] or [{}])[0]
    size = SMALL_CHUNK if len(vector["result"]) > 1 and len(text) < DEFAULT_CHUNK else DEFAULT_CHUNK
    return [chunk.to_json() for chunk in chunk_text(text, size=size, overlap=size // 10, metadata=metadata)]


def of_sections(vector: Mapping[str, Any]) -> Any:
    """A text with a structure in pieces."""
    text, kind = vector["args"]
    return [chunk.to_json() for chunk in chunk_structured(text, kind, size=DEFAULT_CHUNK, overlap=DEFAULT_CHUNK // 10)]


def expected(vector: Mapping[str, Any]) -> Any:
    """The recorded result in the shape of ours."""
    if "throws" in vector:
        return Refused(vector["throws"])
    result = vector["result"]
    if isinstance(result, dict) and result.keys() >= {"branch", "conditionMet"}:  # of a pair
        return {key: result[key] for key in ("branch", "conditionMet")}
    if isinstance(result, dict) and result.keys() >= {"result", "signals"}:  # of a node
        output, name = result["result"], vector["config"].get("outputVariable")
        return output[name] if name and vector["type"] != "output" and [*output] == [name] else output
    if isinstance(result, dict) and result.keys() == {"path", "source", "value"}:  # of a reference
        return result["value"]
    return result


def _probe(value: Any, context: Mapping[str, Any]) -> Any:
    found = _run({"value": value}, context, node_type="test.echo")
    return found if isinstance(found, Refused) else found["result"]


def _run(config: Mapping[str, Any], context: Mapping[str, Any], *, node_type: str) -> Any:
    """The output of a node with *config* that sees *context*."""
    drawing, path = _around({"type": node_type, "name": PROBE, "config": dict(config)}, context)
    seen = simulate({"definition": drawing, "inputs": context.get("inputs") or {}}, catalogue=catalogue())
    if seen["status"] == "rejected":
        errors = [issue["message"] for issue in seen["issues"] if issue["severity"] == "error"]
        return Refused("; ".join(errors))
    row = seen["nodes"][path]
    return row["output"] if row["status"] == "completed" else Refused(row["error"]["message"])


def _around(probe: dict[str, Any], context: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """A drawing in which *probe* sees *context*, and the path of its node run."""
    nodes: dict[str, Any] = {"vectorStart": {"type": "trigger", "name": "start", "config": {}}}
    edges: list[dict[str, str]] = []
    last = "vectorStart"

    def add(name: str, node: dict[str, Any], handle: str = "output") -> None:
        nonlocal last
        nodes[name] = node
        edges.append({"id": f"e{len(edges)}", "source": last, "target": name, "sourceHandle": handle})
        last = name

    for name, output in (context.get("outputs") or {}).items():
        add(name, {"type": "known", "name": name, "config": {"data": output}})
    path, handle = "", "output"
    for kind, draw in (("loop", _loop), ("parallel", _parallel)):
        inside = context.get(kind)
        if inside and inside != UNDEFINED:
            add(f"vector_{kind}", draw(inside), handle)
            path, handle = f"{path}vector_{kind}[{inside['index']}]/", "body"
    add(PROBE, probe, handle)
    return {"nodes": nodes, "edges": edges, "variables": context.get("variables") or {}}, f"{path}{PROBE}"


def _loop(inside: Mapping[str, Any]) -> dict[str, Any]:
    items = [None] * inside["total"]
    items[inside["index"]] = inside.get("item")
    return {"type": "loop", "name": "loop", "config": {"loopType": "forEach", "arrayPath": items}}


def _parallel(inside: Mapping[str, Any]) -> dict[str, Any]:
    items = [None] * inside["index"] + [inside.get("currentItem")]
    return {"type": "parallel", "name": "parallel", "config": {"mode": "collection", "collection": items}}


FAMILIES: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "references": of_reference,
    "extract-names": of_names,
    "interpolate": of_interpolation,
    "interpolate-string": of_text,
    "conditional": of_node,
    "conditional-pairs": of_condition,
    "evaluate-condition": of_comparison,
    "parse-value": of_reading,
    "switch": of_node,
    "output": of_node,
    "template-output": of_node,
    "transform": of_transform,
    "human-review": of_node,
    "wait": of_node,
    "chunk-text": of_chunks,
    "chunk-structured": of_sections,
}
