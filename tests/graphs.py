"""Workflows drawn as text, and a few node types to draw them with.

    draw("start -> a -> d, start -> if, if:true -> b -> d")

A chain of ids with arrows; behind a colon, the handle by which the edge leaves. What a node is, its name says: `if2` is a
conditional, `switch` a switch with the cases that are drawn, `start` a trigger, `in` an input, `out` an output, `set` sets
a variable of that name, `ask` waits for an answer, `loop` and `par` are containers (`loop:body -> a -> b, loop -> c`);
anything else is *default*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from handlers import (
    TIMEOUT_PORT,
    Condition,
    ContainerKind,
    Effect,
    JSONObject,
    Lane,
    Lent,
    NodeConfig,
    NodeHandler,
    NodeInput,
    NodeOutput,
    Raw,
    SelectPort,
)
from handlers.nodes.containers import Loop, Parallel
from handlers.registry import Catalogue, NodeType

ECHO = "echo"
TYPES_BY_NAME = {
    "start": "trigger",
    "trigger": "trigger",
    "in": "input",
    "out": "output",
    "if": "conditional",
    "switch": "switch",
    "set": "setVariable",
    "ask": "humanReview",
    "loop": "loop",
    "par": "parallel",
}
FIXED_HANDLES = ("", "output", "source", "error", "default")


def draw(
    drawing: str,
    *,
    types: Mapping[str, str] | Callable[[str], str] | None = None,
    default: str = ECHO,
    nodes: Mapping[str, JSONObject] | None = None,
    **rest: Any,
) -> dict[str, Any]:
    """The definition payload of *drawing*; valid with the types below and with the built-in ones.

    *types* names the types of nodes, or makes one of an id. *nodes* gives more of single nodes (`{"a": {"disabled":
    True}}`); its `config` is merged into what the type asks for. *rest* goes to the top level (`entryPoint="a"`).
    """
    ids: dict[str, None] = {}
    edges: list[dict[str, Any]] = []
    for chain in filter(None, (part.strip() for part in drawing.split(","))):
        steps = [step.strip().partition(":") for step in chain.split("->")]
        ids |= dict.fromkeys(node_id for node_id, _, _ in steps)
        for (source, _, handle), (target, _, _) in pairwise(steps):
            edge = {"id": f"e{len(edges) + 1}", "source": source, "target": target}
            edges.append(edge | ({"sourceHandle": handle} if handle else {}))
    drawn: dict[str, Any] = {}
    for node_id in ids:
        node_type = _type_of(node_id, types, default)
        handles = [edge["sourceHandle"] for edge in edges if edge["source"] == node_id and "sourceHandle" in edge]
        more = dict((nodes or {}).get(node_id, {}))
        config = _least_config(node_type, node_id, handles) | dict(more.pop("config", {}))
        drawn[node_id] = {"type": node_type, "name": node_id, "config": config, **more}
    return {"name": "drawn", "nodes": drawn, "edges": edges, **rest}


def _type_of(node_id: str, types: Mapping[str, str] | Callable[[str], str] | None, default: str) -> str:
    if callable(types):
        return types(node_id)
    if types is not None and node_id in types:
        return types[node_id]
    return TYPES_BY_NAME.get(re.sub(r"[-_]?[0-9]*$", "", node_id), default)


def _least_config(node_type: str, node_id: str, handles: list[str]) -> dict[str, Any]:
    match node_type:
        case "conditional":
            return {"conditionType": "expression", "expression": "true"}
        case "switch":
            cases = dict.fromkeys(handle for handle in handles if handle not in FIXED_HANDLES) or {"a": None}
            return {"expression": "a", "cases": [{"value": case} for case in cases]}
        case "output":
            return {"outputName": node_id, "value": node_id}
        case "input":
            return {"inputName": node_id}
        case "setVariable":
            return {"name": re.sub(r"\W", "_", node_id), "value": 1}
        case "humanReview":
            return {"prompt": "?", "variableName": "answer", "inputType": "json"}
        case "loop":
            return {"loopType": "count", "count": 2}
        case "parallel":
            return {"mode": "count", "count": 2}
    return {}


class EchoConfig(NodeConfig):
    value: Any = None
    secret_recipe: Raw = ""
    count: int = 0


class _Double(NodeHandler[Any]):
    """A type that is only drawn: what it would do is not asked."""

    def run(self, node: NodeInput[Any], lent: Lent) -> NodeOutput:
        raise AssertionError(f"{node.node_id} was run")


class Echo(_Double):
    """Gives back its value."""

    Config = EchoConfig

    def run(self, node: NodeInput[Any], lent: Lent) -> NodeOutput:
        return NodeOutput(data={"result": node.config.value})


class ConditionalConfig(NodeConfig):
    expression: Condition = None


class Conditional(_Double):
    """Chooses true or false."""

    Config = ConditionalConfig

    def run(self, node: NodeInput[Any], lent: Lent) -> NodeOutput:
        return NodeOutput(data={}, signal=SelectPort(port="true" if node.config.expression else "false"))

    @classmethod
    def ports(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        return ("true", "false")

    @classmethod
    def port_for(cls, handle: str, config: Mapping[str, Any]) -> str | None:
        return super().port_for(handle.removeprefix("output-"), config)


class Switch(_Double):
    """Chooses a case."""

    @classmethod
    def ports(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        return (*_cases(config), "default")

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        clash = {"error", "output"}.intersection(_cases(config))
        return [("cases", f"A case cannot be called {name}.") for name in sorted(clash)]


def _cases(config: Mapping[str, Any]) -> list[str]:
    cases = config.get("cases")
    drawn = [case.get("value") for case in cases if isinstance(case, dict)] if isinstance(cases, list) else []
    return [value for value in drawn if isinstance(value, str)]


class SetVariable(_Double):
    """Sets a variable."""

    @classmethod
    def writes(cls, config: Mapping[str, Any]) -> str | None:
        name = config.get("name")
        return name if isinstance(name, str) else None


class HumanReview(_Double):
    """Waits for an answer."""

    @classmethod
    def ports(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        return (TIMEOUT_PORT,)


def _node_type(handler: NodeHandler[Any], name: str, **more: Any) -> NodeType:
    settings: dict[str, Any] = {"effect": Effect.PURE, "lane": Lane.DRIVE, **more}
    return NodeType(name=name, handler=handler, category="test", title=name, **settings)


catalogue = Catalogue()
catalogue.add(_node_type(Echo(), ECHO))
catalogue.add(_node_type(_Double(), "call", effect=Effect.EFFECT, lane=Lane.IO, cheap=True))
catalogue.add(_node_type(_Double(), "trigger"))
catalogue.add(_node_type(_Double(), "input", source=True))
catalogue.add(_node_type(_Double(), "output", terminal=True))
catalogue.add(_node_type(_Double(), "response", responds=True))
catalogue.add(_node_type(Conditional(), "conditional", aliases=("condition", "if")))
catalogue.add(_node_type(Switch(), "switch"))
catalogue.add(_node_type(SetVariable(), "setVariable"))
catalogue.add(_node_type(HumanReview(), "humanReview", pauses=True, retries=False))
catalogue.add(
    _node_type(Loop(), "loop", aliases=("forEach", "while", "repeat"), container=ContainerKind.LOOP, retries=False)
)
catalogue.add(_node_type(Parallel(), "parallel", container=ContainerKind.PARALLEL, retries=False))
