"""What people write beside a drawing."""

from __future__ import annotations

from handlers.base import Effect, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.ports import Lent
from handlers.registry import node_type


class AnnotationConfig(NodeConfig):
    """Every configuration is fine: it is an editor's."""


@node_type(
    "annotation",
    category="utils",
    title="Note",
    effect=Effect.PURE,
    aliases=("label", "comment", "group", "note"),
    is_note=True,
)
class Annotation(NodeHandler[AnnotationConfig]):
    """Something written for people, or a frame around nodes. It takes no part in runs, unless edges lead through it.

    Output: `{}`, where edges do. Without edges it is neither where a run starts nor part of the plan, and a `{{…}}` in
    it is text.
    """

    Config = AnnotationConfig

    def run(self, node: NodeInput[AnnotationConfig], lent: Lent) -> NodeOutput:
        del node, lent
        return NodeOutput(data={})
