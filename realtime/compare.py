"""Two runs of one workflow as the page that compares them shows them: path, outputs, time and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, DurationField, ExpressionWrapper, F, FloatField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from executions.core import NodeStatus, RunStatus
from executions.models import Execution, NodeRun
from handlers import JSONObject, JSONValue
from realtime import page
from realtime.core import Difference, Look, Totals, Who, differences, duration, merged, money, summary, who
from realtime.page import Card, Line, Page

# Unless they began; one that the end of its run found waiting for its turn is cancelled, too.
_NEVER_RAN: Final = frozenset({NodeStatus.PENDING, NodeStatus.READY, NodeStatus.SKIPPED, NodeStatus.CANCELLED})
_SLIMMEST: Final = 1.0  # of a bar, in per cent: what took no time is still seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a node took and cost, in all of its visits."""

    visits: int = 0
    time: timedelta = timedelta()
    cost: float = 0.0  # US where the price is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A node in one of the runs. Without a card it took no part: the version has none, or the run began elsewhere."""

    card: Card | None
    spent: Spent
    width: float  # of the bar of its time, in per cent of the longest

    @property
    def status(self) -> str:
        return "" if self.card is None else self.card.status.value

    @property
    def ran(self) -> bool:
        state = None if self.card is None else self.card.state
        return state is not None and (state.started_at is not None or state.kept or state.status not in _NEVER_RAN)

    @property
    def port(self) -> str:
        return "" if self.card is None else self.card.state.port or ""

    @property
    def took(self) -> str:
        if self.card is not None and self.card.state.kept:
            return "kept"
        return duration(self.spent.time) if self.spent.visits else ""

    @property
    def cost(self) -> str:
        return money(self.spent.cost) if self.spent.cost else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A node in both."""

    node_id: str
    first: Part
    second: Part
    output: Difference
    error: Difference
    omitted: str  # what was not compared, and why

    @property
    def card(self) -> Card:
        card = self.second.card or self.first.card
        assert card is not None  # noqa: S101 -- it is a pair for being in one of them
        return card

    @property
    def who(self) -> Who:
        return who(first=self.first.ran, second=self.second.ran)

    @property
    def differs(self) -> bool:
        left = (self.first.status, self.first.port), (self.second.status, self.second.port)
        return left[0] != left[1] or bool(self.output or self.error or self.omitted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two runs."""

    name: str
    page: Page
    spent: Mapping[str, Spent]  # by node id
    nodes: Mapping[str, JSONObject]  # by node id: what the page's script is told of it

    @property
    def cost(self) -> float:
        return sum(spent.cost for spent in self.spent.values())

    @property
    def shown_cost(self) -> str:
        return money(self.cost) if self.cost else ""

    def output(self, node_id: str) -> JSONValue:
        return self.nodes.get(node_id, {}).get("output")

    def is_omitted(self, node_id: str) -> bool:
        return "output_omitted" in self.nodes.get(node_id, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A line of the drawing, and who went along it."""

    line: Line
    who: Who


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    first: Side
    second: Side
    summary: tuple[str, ...]
    inputs: Difference
    outputs: Difference
    error: Difference
    pairs: tuple[Pair, ...]
    drawn: tuple[Pair, ...]  # those that are in the drawing, which is the second run's
    edges: tuple[Edge, ...]

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.first, self.second


def compare(first: Execution, second: Execution, *, now: datetime) -> Comparison:
    """Of runs whose workflow, version and state are loaded. As many queries as their two pages, and two more."""
    one, two = _side("A", first, now=now), _side("B", second, now=now)
    cards = [{card.node.id: card for card in side.page.cards} for side in (one, two)]
    longest = max((spent.time for side in (one, two) for spent in side.spent.values()), default=timedelta())
    pairs = tuple(
        _pair(node_id, one, two, _part(cards[0], one, node_id, longest), _part(cards[1], two, node_id, longest))
        for node_id in merged([*cards[0]], [*cards[1]])
    )
    return Comparison(
        first=one,
        second=two,
        summary=tuple(
            summary(
                _totals(one, now=now),
                _totals(two, now=now),
                paths=[pair.who for pair in pairs],
                outputs=sum(bool(pair.output) for pair in pairs if pair.who is Who.BOTH),
            )
        ),
        inputs=differences(first.inputs, second.inputs),
        outputs=differences(first.outputs, second.outputs),
        error=differences(first.error, second.error),
        pairs=pairs,
        drawn=tuple(pair for pair in pairs if pair.second.card is not None),
        edges=_edges(one.page, two.page),
    )


def _side(name: str, execution: Execution, *, now: datetime) -> Side:
    shown = page.build(execution, socket=None, access={}, now=now)
    told: Any = shown.data["nodes"]
    return Side(name=name, page=shown, spent=_spent(execution.pk), nodes={node["node_id"]: node for node in told})


def _spent(execution_id: UUID) -> dict[str, Spent]:
    """By node, of what this run did itself."""
    rows = NodeRun.objects.filter(execution=execution_id, kept=False, started_at__isnull=False)
    time = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    cost = Cast(KeyTextTransform("cost_usd", "usage"), FloatField())
    sums = rows.values_list("node_id").annotate(visits=Count("pk"), time=Sum(time), cost=Sum(cost))
    return {
        node_id: Spent(visits=visits, time=time or timedelta(), cost=cost or 0.0)
        for node_id, visits, time, cost in sums
    }


def _part(cards: Mapping[str, Card], side: Side, node_id: str, longest: timedelta) -> Part:
    spent = side.spent.get(node_id, Spent())
    width = 100 * spent.time / longest if longest else 0.0
    return Part(card=cards.get(node_id), spent=spent, width=round(max(width, _SLIMMEST), 2) if spent.visits else 0.0)


def _pair(node_id: str, one: Side, two: Side, first: Part, second: Part) -> Pair:
    too_long = [side.name for side in (one, two) if side.is_omitted(node_id)]
    return Pair(
        node_id=node_id,
        first=first,
        second=second,
        output=Difference(changes=()) if too_long else differences(one.output(node_id), two.output(node_id)),
        error=differences(_error(first), _error(second)),
        omitted=f"The output of {' and '.join(too_long)} is too long to be compared here." if too_long else "",
    )


def _error(part: Part) -> JSONValue:
    return None if part.card is None or part.card.state.error is None else part.card.state.error.get("message")


def _totals(side: Side, *, now: datetime) -> Totals:
    execution, told = side.page.execution, dict[str, Any](side.page.data)
    ended = execution.ended_at or now
    paused = timedelta(milliseconds=told["paused_ms"])
    if told["pause"] is not None:
        paused += ended - datetime.fromisoformat(told["pause"]["since"])
    took = ended - (execution.started_at or execution.created_at) - paused
    return Totals(status=execution.status, is_over=RunStatus(execution.status).is_final, took=took, cost=side.cost)


def _edges(first: Page, second: Page) -> tuple[Edge, ...]:
    """Those of the second, which is drawn; the first may be of a version that has others."""
    edges: list[Any] = [first.data["edges"], second.data["edges"]]
    taken = {tuple(edge) for edge, line in zip(edges[0], first.lines, strict=True) if line.look is Look.TAKEN}
    return tuple(
        Edge(line=line, who=who(first=tuple(edge) in taken, second=line.look is Look.TAKEN))
        for edge, line in zip(edges[1], second.lines, strict=True)
    )
