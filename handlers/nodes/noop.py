"""A node that does nothing."""

from __future__ import annotations

from typing import Literal

from handlers.base import Effect, NodeConfig, NodeData, NodeHandler, NodeInput, NodeOutput
from handlers.ports import Lent
from handlers.registry import node_type


class NoopConfig(NodeConfig):
    """Every configuration is fine: what is written here is for people, or for what will stand here one day."""


class NoopData(NodeData):
    skipped: Literal[True]


@node_type("noop", category="utils", title="Nothing", effect=Effect.PURE, aliases=("skip", "placeholder"))
class Noop(NodeHandler[NoopConfig]):
    """Do nothing, and go on: a place where branches meet, or that keeps one free.

    Output: `{"skipped": true}`. The node itself has run: what follows it does, too.
    """

    Config = NoopConfig
    Output = NoopData

    def run(self, node: NodeInput[NoopConfig], lent: Lent) -> NodeOutput:
        del node, lent
        return NodeOutput(data={"skipped": True})
