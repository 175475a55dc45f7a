"""Stage 3: one plan node for each node of the drawing, in plan order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handlers import Effect, JSONObject
from handlers.registry import NodeType
from workflows.core.definition import Node
from workflows.core.plan import DEFAULT_TIMEOUT_MS, OnInterrupted, PlanNode


def plan_nodes(
    nodes: Mapping[str, Node],
    types: Mapping[str, NodeType],
    *,
    order: Iterable[str],
    roots: Iterable[str],
    parents: Mapping[str, str | None],
) -> tuple[PlanNode, ...]:
    """The plan nodes of those *nodes* that are in *order*; what they read is the next stage's to say.

    *parents*: node → innermost container around it.
    """
    starting = frozenset(roots)
    return tuple(
        _plan_node(nodes[node_id], types[node_id], is_root=node_id in starting, parent=parents[node_id])
        for node_id in order
    )


def _plan_node(node: Node, node_type: NodeType, *, is_root: bool, parent: str | None) -> PlanNode:
    # A container takes as long as its body does, a pause as long as what it waits for.
    is_attempt = node_type.container is None and not node_type.pauses
    return PlanNode(
        id=node.id,
        type=node_type.name,
        name=node.name,
        config=node.config,
        effect=node_type.effect,
        lane=node_type.lane,
        cheap=node_type.cheap,
        source=node_type.source and is_root,
        terminal=node_type.terminal and parent is None,
        responds=node_type.responds,
        delegates=node_type.delegates,
        pauses=node_type.pauses,
        disabled=node.disabled,
        on_error=node.on_error.strategy,
        fallback_value=node.on_error.fallback_value,
        # What does nothing outside cannot be left half done.
        on_interrupted=node.on_interrupted if node_type.effect is Effect.EFFECT else OnInterrupted.RERUN,
        timeout_ms=node.timeout_ms if is_attempt and node.timeout_ms is not None else DEFAULT_TIMEOUT_MS,
        retry=_retry(node, node_type),
        parent=parent,
        container=node_type.container,
        writes=node_type.handler.writes(node.config),
    )


def _retry(node: Node, node_type: NodeType) -> JSONObject | None:
    """What the node says, over what its configuration and its type do. Left to the effect, the run decides."""
    if not node_type.retries:
        return None
    attempts = node_type.handler.attempts(node.config)
    configured: JSONObject = {} if attempts is None else {"attempts": attempts}
    drawn = configured | (node.retry or {})
    if node_type.retry is None:
        return drawn or None
    return node_type.retry.to_json() | drawn
