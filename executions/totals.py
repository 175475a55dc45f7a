"""A run in a few figures: how far it is, and what it used."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db.models import BigIntegerField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from executions.models import NodeRun
from executions.node_states import NodeState

_TOKENS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")


def progress(nodes: Collection[NodeState]) -> dict[str, int]:
    """Nodes that are through (run, skipped or cancelled), out of those that take part."""
    through = sum(node.status.is_final for node in nodes)
    return {"completed": through, "total": len(nodes), "percentage": round(100 * through / max(1, len(nodes)))}


def token_totals(execution_id: UUID) -> dict[str, int]:
    """What language models counted in the run so far, in every iteration and branch."""
    counts = {name: Cast(KeyTextTransform(name, "usage"), BigIntegerField()) for name in _TOKENS}
    used = NodeRun.objects.filter(execution=execution_id, usage__isnull=False)
    return used.aggregate(**{name: Coalesce(Sum(count), 0) for name, count in counts.items()})
