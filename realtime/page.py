"""A run as its page shows it: the drawing with its statuses, the timeline, and what the page's script starts from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from uuid import UUID

from django.db.models import IntegerField, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Left, Length

from executions import run_outputs
from executions.core import NodeStatus
from executions.metadata import metadata_of
from executions.models import Execution, NodeRun
from executions.node_states import NodeState, node_states
from executions.plans import prepared
from executions.totals import token_totals
from handlers import JSONObject
from handlers.registry import catalogue
from realtime import snapshot
from realtime.core import (
    CARD_HEIGHT,
    CARD_WIDTH,
    Link,
    Look,
    Nested,
    Standing,
    because,
    draw_nested,
    duration,
    edge_looks,
    icon,
    money,
    shorten,
    standing,
    tally,
    wire,
)
from realtime.pauses import Pauses, pauses_of
from workflows.core.plan import EdgeType, Plan, PlanEdge, PlanNode

_NAME_EMS: Final = 12.2  # of a card, in em; the whole name is its title
_SHOWN_CHARS: Final = 20_000  # of an output; the API has the rest
_SLIMMEST: Final = 0.6  # of a bar, in per cent: what took no time is still seen
_KEPT_DRAWINGS: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A node in the drawing."""

    node: PlanNode
    state: NodeState
    x: float
    y: float
    title: str  # of its type
    symbol: str
    tone: str
    took: str
    waits: int  # visits of it that wait
    is_paused: bool  # the run is

    @property
    def name(self) -> str:
        return shorten(self.node.name, ems=_NAME_EMS)

    @property
    def status(self) -> NodeStatus:
        """As it is shown."""
        due = self.state.due_at is not None
        return standing(self.state.status, is_due=due, waits=self.waits, is_paused=self.is_paused)

    @property
    def is_counted(self) -> bool:
        """It has figures to show: what it repeats, or how often it was visited."""
        return self.node.container is not None or self.node.parent is not None

    @property
    def tally(self) -> list[tuple[str, str]]:
        progress, visits = self.state.progress, self.state.visits
        return tally(
            progress=None if progress is None else (progress.done, progress.total),
            visits=None if visits is None else (visits.completed, visits.failed),
            waits=self.waits,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An edge in the drawing."""

    path: str
    look: Look
    label: str
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A node in the timeline."""

    card: Card
    began: str  # after the run's start; of one that ran in the run before, that it is kept
    start: float  # of its bar, in per cent of the run's time
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    execution: Execution
    took: str  # without what it was paused
    cost: str  # of the models that it asked; "" where it asked none
    tokens: int
    paused: str  # how long it was; "" when it never was
    because: str  # why it is; "" when it is not
    drawing: Nested
    cards: tuple[Card, ...]
    lines: tuple[Line, ...]
    rows: tuple[Row, ...]
    metadata: tuple[tuple[str, str], ...]  # what nodes have said about the run: keys and texts
    result: str  # outputs or error as indented JSON; "" while there is none
    data: JSONObject
    card_width: int = int(CARD_WIDTH)
    card_height: int = int(CARD_HEIGHT)


def build(execution: Execution, *, socket: JSONObject | None, access: JSONObject, now: datetime) -> Page:
    """The page of *execution*, whose workflow, version and state are loaded. *socket*: how a live one is followed.

    *access*: what its script needs to speak to the API, and what whoever looks may do there.
    """
    plan = prepared(execution.version_id).graph.plan
    states = {state.node_id: state for state in node_states(execution, upto=execution.state.seq)}
    members = frozenset(states)
    nodes = _nodes(plan, members)
    edges = _edges(plan, members)
    drawing = _drawing(execution.version_id, members)
    pauses = pauses_of(execution)
    waits = Counter(wait["node_id"] for wait in pauses.waitpoints)
    cards = tuple(
        _card(node, states[node.id], at.x, at.y, waits=waits[node.id], is_paused=pauses.reason is not None)
        for node, at in zip(nodes, drawing.cards, strict=True)
    )
    taken = edge_looks(edges, {node.id: _standing(node, states[node.id]) for node in nodes})
    began, ended = execution.started_at or execution.created_at, execution.ended_at or now
    paused = pauses.lasted(now=ended)
    said, used = metadata_of(execution.pk), token_totals(execution.pk)
    tokens = int(used["total_tokens"])
    return Page(
        execution=execution,
        took=duration(ended - began - paused),
        cost=money(used["cost_usd"], unpriced=int(used["unpriced_tokens"])) if tokens else "",
        tokens=tokens,
        paused=duration(paused) if paused else "",
        because=because(pauses.reason, [node.name for node in nodes if waits[node.id]]),
        drawing=drawing,
        cards=cards,
        lines=tuple(
            Line(path=line.path, look=look, label=_label(edge), label_x=line.label_x, label_y=line.label_y)
            for edge, look, line in zip(edges, taken, drawing.lines, strict=True)
        ),
        rows=tuple(_row(card, began, ended) for card in cards),
        metadata=tuple((key, value if isinstance(value, str) else wire.dumps(value)) for key, value in said.items()),
        result=_result(execution),
        data={
            **_data(execution, nodes, states, edges, pauses, socket=socket, now=now),
            "metadata": said,
            "access": access,
            "usage": {**used},
        },
    )


@lru_cache(maxsize=_KEPT_DRAWINGS)
def _drawing(version_id: UUID, members: frozenset[str]) -> Nested:
    """The drawing of what takes part in a run; the same for every run of a version from one entry."""
    plan = prepared(version_id).graph.plan
    nodes = _nodes(plan, members)
    place = {node.id: place for place, node in enumerate(nodes)}
    links = [
        Link(
            source=place[edge.source],
            target=place[edge.target],
            port=_label(edge),
            back=edge.type is EdgeType.BACK,
        )
        for edge in _edges(plan, members)
    ]
    parents = [None if node.parent is None else place[node.parent] for node in nodes]
    return draw_nested(parents, links)


def _nodes(plan: Plan, members: frozenset[str]) -> list[PlanNode]:
    """The *members* in plan order, the body of each container right after it: all edges but those back lead down."""
    inside: dict[str | None, list[PlanNode]] = {}
    for node in plan.nodes:
        if node.id in members:
            inside.setdefault(node.parent, []).append(node)

    def listed(parent: str | None) -> Iterator[PlanNode]:
        for node in inside.get(parent, []):
            yield node
            yield from listed(node.id)

    return [*listed(None)]


def _edges(plan: Plan, members: frozenset[str]) -> list[PlanEdge]:
    """Those between *members*, in the order of their sources, which is what the page's script relies on."""
    place = {node.id: place for place, node in enumerate(_nodes(plan, members))}
    edges = [edge for edge in plan.edges if edge.source in members and edge.target in members]
    return sorted(edges, key=lambda edge: place[edge.source])


def _card(node: PlanNode, state: NodeState, x: float, y: float, *, waits: int, is_paused: bool) -> Card:
    known = catalogue.get(node.type)
    symbol, tone = icon(node.type, known.category if known else "")
    return Card(
        node=node,
        state=state,
        x=x,
        y=y,
        title=known.title if known else node.type,
        symbol=symbol,
        tone=tone,
        took=_took(node, state),
        waits=waits,
        is_paused=is_paused,
    )


def _took(node: PlanNode, state: NodeState) -> str:
    if _standing(node, state).is_expired:
        return "expired"
    return "" if state.duration_ms is None else duration(timedelta(milliseconds=state.duration_ms))


def _standing(node: PlanNode, state: NodeState) -> Standing:
    return Standing(
        status=state.status, handled=state.handled, port=state.port, disabled=node.disabled, pauses=node.pauses
    )


def _row(card: Card, began: datetime, ended: datetime) -> Row:
    state = card.state
    if state.started_at is None or state.kept:
        return Row(card=card, began="kept" if state.kept else "", start=0, width=0)
    whole = max((ended - began).total_seconds(), 0.001)
    start = min(max((state.started_at - began).total_seconds() / whole, 0.0), 1.0)
    end = min(max(((state.ended_at or ended) - began).total_seconds() / whole, start), 1.0)
    return Row(
        card=card,
        began=f"+{duration(state.started_at - began)}",
        start=round(100 * start, 2),
        width=round(max(100 * (end - start), _SLIMMEST), 2),
    )


def _label(edge: PlanEdge) -> str:
    """What stands at an edge; one back to a container has in its port how it leaves."""
    return edge.type.value if edge.type is EdgeType.ERROR else edge.port or ""


def _data(
    execution: Execution,
    nodes: Sequence[PlanNode],
    states: Mapping[str, NodeState],
    edges: Sequence[PlanEdge],
    pauses: Pauses,
    *,
    socket: JSONObject | None,
    now: datetime,
) -> JSONObject:
    outputs = _outputs(execution.pk, states.values())
    return {
        "execution_id": str(execution.pk),
        "status": execution.status,
        "seq": execution.state.seq,
        "started_at": (execution.started_at or execution.created_at).isoformat(),
        "ended_at": None if execution.ended_at is None else execution.ended_at.isoformat(),
        "now": now.isoformat(),
        **pauses.as_json(),
        "nodes": [
            {
                **snapshot.as_json(states[node.id]),
                "disabled": node.disabled,
                "pauses": node.pauses,
                **outputs.get((node.id, states[node.id].scope), {}),
            }
            for node in nodes
        ],
        "edges": [[edge.source, edge.target, edge.type.value, edge.port] for edge in edges],
        "socket": socket,
    }


def _outputs(execution_id: UUID, states: Collection[NodeState]) -> dict[tuple[str, str], JSONObject]:
    """By node and scope, of the visits that are shown: the output, or how long it is when it is too long for a page."""
    elsewhere = Cast(KT("output_ref__characters"), IntegerField())
    shown = NodeRun.objects.filter(execution=execution_id, scope__in={state.scope for state in states})
    if any(state.parent is not None for state in states):  # in some of those scopes there may be others
        shown = shown.filter(node_id__in=[state.node_id for state in states])
    text = shown.annotate(text=Cast("output", TextField()))
    rows = text.annotate(length=Coalesce(elsewhere, Length("text")), shown=Left("text", _SHOWN_CHARS))
    found: dict[tuple[str, str], JSONObject] = {}
    with_output = rows.exclude(length=None).values_list("node_id", "scope", "length", "shown")
    for node_id, scope, length, shown in with_output:
        found[node_id, scope] = {"output_omitted": length} if length > _SHOWN_CHARS else {"output": json.loads(shown)}
    return found


def _result(execution: Execution) -> str:
    """The error or the outputs, indented; of outputs that are not in the run's row, how long they are."""
    if (omitted := run_outputs.omitted(execution, whole=False)) is not None and execution.error is None:
        return f"{omitted} characters: fetch them from the API."  # as the page's script says it
    value = execution.outputs if execution.error is None else execution.error
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
