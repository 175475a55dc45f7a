"""A catalogue for drawings whose node types call others: what routes and repeats is real, the rest answers by script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from handlers import Effect, Lane, Lent, NodeConfig, NodeHandler, NodeInput, NodeOutput, SelectPort
from handlers import catalogue as built_in
from handlers.registry import Catalogue, NodeType

# What decides which way a run goes, and where it begins and ends.
REAL: Final = ("trigger", "input", "output", "conditional", "switch", "loop", "parallel", "setVariable")
SOURCES: Final = frozenset({"files", "url", "audioInput"})


class Anything(NodeConfig):
    """As drawn: what these configurations say is told to services that are not there."""

    model_config = {"extra": "allow"}


class Scripted(NodeHandler[Anything]):
    """Says who it is, and leaves by the first route that is drawn."""

    Config = Anything

    def run(self, node: NodeInput[Anything], lent: Lent) -> NodeOutput:
        said = {"text": f"{node.node_id} has spoken", "score": len(node.node_id), "items": ["one", "two"]}
        answer = (node.config.model_extra or {}).get("variableName")
        routes = self.ports(node.config.model_extra or {})
        return NodeOutput(
            data=said | ({str(answer): "yes"} if answer else {}),
            signal=SelectPort(port=routes[0]) if routes else None,
        )

    @classmethod
    def ports(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        return (*_routes(config), "default") if "routes" in config else ()


def _routes(config: Mapping[str, Any]) -> Iterable[str]:
    for route in config["routes"]:
        yield str(route["value"] if isinstance(route, dict) else route)


def catalogue_for(types: Iterable[str]) -> Catalogue:
    """A catalogue that knows every one of *types*."""
    made = Catalogue()
    for name in REAL:
        if name in built_in:
            made.add(built_in[name])
    for name in sorted(set(types)):
        if name not in made:
            made.add(
                NodeType(
                    name=name,
                    handler=type("Scripted", (Scripted,), {"__qualname__": f"Scripted.{name}"})(),
                    category="scripted",
                    title=name,
                    effect=Effect.EFFECT,
                    lane=Lane.IO,
                    source=name in SOURCES,
                )
            )
    return made
