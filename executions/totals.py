"""A run in a few figures: how far it is, and what it used."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db.models import BigIntegerField, FloatField, Q, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from executions.models import NodeRun
from executions.node_states import NodeState

_TOKENS: Final = ("prompt_tokens", "completion_tokens", "total_tokens")


def progress(nodes: Collection[NodeState]) -> dict[str, int]:
    """Nodes that are through (run, skipped or cancelled), out of those that take part."""
    through = sum(node.status.is_final for node in nodes)
    return {"completed": through, "total": len(nodes), "percentage": round(100 * through / max(1, len(nodes)))}


def token_totals(execution_id: UUID) -> dict[str, int | float]:
    """What language models counted in the run so far, in every iteration and branch, and what it cost.

    `cost_usd` is the cost of those whose price is known; `unpriced_tokens` are the tokens of the others.
    """
    counts = {name: Cast(KeyTextTransform(name, "usage"), BigIntegerField()) for name in _TOKENS}
    cost = Cast(KeyTextTransform("cost_usd", "usage"), FloatField())
    used = NodeRun.objects.filter(execution=execution_id, usage__isnull=False)
    sums = {name: Coalesce(Sum(count), 0) for name, count in counts.items()}
    totals: dict[str, int | float] = used.annotate(cost=cost).aggregate(
        **sums,
        cost_usd=Coalesce(Sum("cost"), 0.0),
        unpriced_tokens=Coalesce(Sum(counts["total_tokens"], filter=Q(cost__isnull=True)), 0),
    )
    return totals
