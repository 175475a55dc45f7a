"""Events as clients see them: the same frame whether it is pushed when it happens or read back years later."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any, Final, TypeAlias, overload
from uuid import UUID

from django.db.models import Case, F, IntegerField, OuterRef, Subquery, TextField, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Length

from executions.core.events import EventType, RunEvent
from executions.models import Event, Execution, NodeRun
from handlers import JSONObject
from workflows.fields import dumps_text, quoted

WIDEST: Final = 65_536  # characters of an output that a frame carries; a longer one is named by its size and fetched
PAGE: Final = 500  # frames read at once

Bulk: TypeAlias = str | int  # the JSON text of an output, or how many characters it has when it stayed where it is

# Where the bulk of an event lives: the key it gets in `data`.
_BULK: Final[Mapping[str, str]] = {EventType.NODE_COMPLETED: "output", EventType.EXECUTION_COMPLETED: "outputs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One event as clients see it. It travels as text: most who pass it on never look inside."""

    seq: int
    type: str
    node_id: str | None
    scope: str
    text: str  # JSON in one line

    def value(self) -> JSONObject:
        shown: JSONObject = json.loads(self.text)
        return shown


def frame(
    execution_id: UUID,
    seq: int,
    *,
    kind: str,
    at: datetime,
    data: str,
    node_id: str | None = None,
    scope: str = "",
    bulk: Bulk | None = None,
) -> Frame:
    """The frame of one event. *data* is a JSON object as text, *bulk* the output that belongs to the event, if any.

    An output of more than WIDEST characters is not cut: the frame has `output_omitted`, its size, in its place. So has
    one whose size is all that is given.
    """
    where = f',"node_id":{quoted(node_id)},"scope":{quoted(scope)}' if node_id is not None else ""
    if (key := _BULK.get(kind)) is not None:
        width = len(bulk) if isinstance(bulk, str) else bulk or 0
        is_shown = bulk is None or (isinstance(bulk, str) and width <= WIDEST)
        more = f'"{key}":{bulk or "null"}' if is_shown else f'"{key}_omitted":{width}'
        data = f"{{{more}}}" if data == "{}" else f"{data[:-1]},{more}}}"
    text = (
        f'{{"type":"{kind}","seq":{seq},"timestamp":"{at.isoformat()}","execution_id":"{execution_id}"{where}'
        f',"data":{data}}}'
    )
    return Frame(seq=seq, type=str(kind), node_id=node_id, scope=scope, text=text)


class Told(Sequence[Frame]):
    """Events that get their numbers, and their frames. A frame is built when it is read: not in the thread that drives.

    *after* is the number of the event before the first.
    """

    def __init__(self, execution_id: UUID, after: int, events: Sequence[RunEvent]) -> None:
        self.after = after
        # Outputs by scope and node, the run's own under None; known after the write.
        self.bulk: Mapping[tuple[str, str] | None, Bulk] = {}
        self._execution_id, self._events = execution_id, events
        self._data = [dumps_text(event.data) for event in events]

    @property
    def last(self) -> int:
        """The number of the last event."""
        return self.after + len(self._events)

    def rows(self) -> str:
        """The events' rows, as a JSON list of objects."""
        told = zip(count(self.after + 1), self._events, self._data, strict=False)
        rows = (
            f'{{"seq":{seq},"type":"{event.type}","node_id":{quoted(event.node_id) if event.node_id else "null"},'
            f'"scope":{quoted(event.scope)},"at":"{event.at.isoformat()}","data":{data}}}'
            for seq, event, data in told
        )
        return f"[{','.join(rows)}]"

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, place: int) -> Frame: ...
    @overload
    def __getitem__(self, place: slice) -> list[Frame]: ...
    def __getitem__(self, place: int | slice) -> Frame | list[Frame]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        event = self._events[place]
        return frame(
            self._execution_id,
            self.after + 1 + place % len(self),
            kind=event.type.value,
            at=event.at,
            data=self._data[place],
            node_id=event.node_id,
            scope=event.scope,
            bulk=self.bulk.get(None if event.node_id is None else (event.scope, event.node_id)),
        )


def load(execution_id: UUID, *, after: int = 0, limit: int = PAGE) -> list[Frame]:
    """Frames of the run with numbers above *after*, in order, at most *limit*."""
    rows = list(_rows(execution_id, after)[:limit])
    return [
        frame(
            execution_id,
            row["seq"],
            kind=row["type"],
            at=row["at"],
            data=row["text"],
            node_id=row["node_id"],
            scope=row["scope"],
            bulk=row["length"] if row["short"] is None else row["short"],
        )
        for row in rows
    ]


def _rows(execution_id: UUID, after: int) -> Any:
    """Events with their bulk as text; of one that is too long, or not in the database, only its length is read."""
    node = NodeRun.objects.filter(execution=OuterRef("execution"), node_id=OuterRef("node_id"), scope=OuterRef("scope"))
    run = Execution.objects.filter(pk=OuterRef("execution"))

    def text(of: Any, column: str) -> Subquery:
        return Subquery(of.annotate(text=Cast(column, TextField())).values("text")[:1])

    def elsewhere(of: Any, column: str) -> Subquery:
        return Subquery(of.values(length=Cast(KT(f"{column}__characters"), IntegerField()))[:1])

    bulk = Case(
        When(type=EventType.NODE_COMPLETED, then=text(node, "output")),
        When(type=EventType.EXECUTION_COMPLETED, then=text(run, "outputs")),
        output_field=TextField(),
    )
    length = Case(
        When(type=EventType.NODE_COMPLETED, then=elsewhere(node, "output_ref")),
        When(type=EventType.EXECUTION_COMPLETED, then=elsewhere(run, "outputs_ref")),
        output_field=IntegerField(),
    )
    return (
        Event.objects.filter(execution=execution_id, seq__gt=after)
        .order_by("seq")
        .annotate(bulk=bulk, text=Cast("data", TextField()))
        .annotate(length=Coalesce(length, Length("bulk", output_field=IntegerField())))
        .annotate(short=Case(When(length__lte=WIDEST, then=F("bulk")), output_field=TextField()))
        .values("seq", "type", "at", "text", "node_id", "scope", "length", "short")
    )
