"""Nodes that do nothing, and say so."""

from __future__ import annotations

from handlers.base import Effect, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.ports import Lent
from handlers.registry import node_type


@node_type("noop", category="utils", title="Nothing", effect=Effect.PURE, aliases=("skip", "placeholder"))
class Noop(NodeHandler[NodeConfig]):
    """Do nothing, and go on: a place for a node that is still to come, or one to bring edges together.

    Output: `{"skipped": true}`.
    """

    def run(self, node: NodeInput[NodeConfig], lent: Lent) -> NodeOutput:
        del node, lent
        return NodeOutput(data={"skipped": True})


@node_type("annotation", category="utils", title="Note", effect=Effect.PURE, aliases=("label", "group", "note"))
class Annotation(NodeHandler[NodeConfig]):
    """A note on the drawing for people. It is run where edges lead through it, and changes nothing. Output: `{}`.

    A `comment` is no node at all: it is left out of the plan, with its edges.
    """

    def run(self, node: NodeInput[NodeConfig], lent: Lent) -> NodeOutput:
        del node, lent
        return NodeOutput(data={})
