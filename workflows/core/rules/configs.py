"""Rules about what nodes are told: their types, their configurations, and that every expression can be read."""

from __future__ import annotations

from collections.abc import Iterator

from handlers.base import FieldKind
from handlers.registry import check_config
from workflows.core.analysis import Analysis
from workflows.core.errors import ExpressionSyntax, Issue
from workflows.core.mentions import Mention

_SHOWN = 120  # characters of an expression in a message


def check_types(analysis: Analysis) -> Iterator[Issue]:
    """UNKNOWN_NODE_TYPE."""
    for node in analysis.definition.nodes.values():
        if node.id not in analysis.types:
            yield Issue(
                code="UNKNOWN_NODE_TYPE",
                message=f"{node.id}: there is no node type {node.type!r}",
                node_id=node.id,
                field="type",
                suggestion=analysis.proposals.closest(node.type, analysis.catalogue, among="types"),
            )


def check_configs(analysis: Analysis) -> Iterator[Issue]:
    """INVALID_CONFIG: what the handler could not run with. A container that has no body runs with anything."""
    for node_id, node_type in analysis.types.items():
        if analysis.lacks_body(node_id):
            continue
        for field, sentence in check_config(node_type, analysis.definition.nodes[node_id].config):
            message = f"{node_id}: {field}: {sentence}"
            yield Issue(code="INVALID_CONFIG", message=message, node_id=node_id, field=field)


def check_expressions(analysis: Analysis) -> Iterator[Issue]:
    """INVALID_EXPRESSION for conditions and bare expressions, INVALID_REFERENCE for `{{…}}`."""
    for node_id, mentions in analysis.mentions.items():
        for mention in mentions:
            if isinstance(mention.parsed, ExpressionSyntax):
                yield _unusable(node_id, mention, f"cannot be read: {mention.parsed}")
        for mention, reference in analysis.references(node_id):
            # All of env at once would hand every secret to the node, and nobody could tell which it needs.
            if reference.root == "env" and not (len(reference.parts) > 1 and isinstance(reference.parts[1], str)):
                yield _unusable(node_id, mention, "must name one variable: env.NAME")


def _unusable(node_id: str, mention: Mention, what: str) -> Issue:
    shown = mention.text if len(mention.text) <= _SHOWN else f"{mention.text[:_SHOWN]}…"
    is_braced = mention.kind is FieldKind.TEMPLATE
    written = f"{{{{{shown}}}}}" if is_braced else shown
    return Issue(
        code="INVALID_REFERENCE" if is_braced else "INVALID_EXPRESSION",
        message=f"{node_id}: {mention.field}: {written} {what}",
        node_id=node_id,
        field=mention.field,
    )
