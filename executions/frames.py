"""Events as clients see them: the same frame whether it is pushed when it happens or read back years later."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias, overload
from uuid import UUID

from django.db.models import Case, F, IntegerField, OuterRef, Subquery, TextField, When
from django.db.models.functions import Cast, Length

from executions.core.events import EventType, RunEvent
from executions.models import Event, Execution, NodeRun
from handlers import JSONObject
from workflows.fields import storable

WIDEST: Final = 65_536  # characters of an output that a frame carries; a longer one is named by its size and fetched
PAGE: Final = 500  # frames read at once

Bulk: TypeAlias = str | int  # the JSON text of an output, or how many characters it has when it stayed where it is

# Where the bulk of an event lives: the key it gets in `data`.
_BULK: Final[Mapping[str, str]] = {EventType.NODE_COMPLETED: "output", EventType.EXECUTION_COMPLETED: "outputs"}


def frame(
    execution_id: UUID,
    seq: int,
    *,
    kind: str,
    at: datetime,
    data: JSONObject,
    node_id: str | None = None,
    scope: str = "",
    bulk: Bulk | None = None,
) -> JSONObject:
    """The frame of one event. *bulk* is the output that belongs to it, if any.

    An output of more than WIDEST characters is not cut: the frame has `output_omitted`, its size, in its place.
    """
    shown = dict(data)
    if (key := _BULK.get(kind)) is not None:
        width = len(bulk) if isinstance(bulk, str) else bulk or 0
        if width > WIDEST:
            shown[f"{key}_omitted"] = width
        else:
            shown[key] = json.loads(bulk) if isinstance(bulk, str) else None
    told: JSONObject = {"type": str(kind), "seq": seq, "timestamp": at.isoformat(), "execution_id": str(execution_id)}
    if node_id is not None:
        told |= {"node_id": node_id, "scope": scope}
    return {**told, "data": shown}


class Told(Sequence[JSONObject]):
    """The frames of events that were just committed. Each is built when it is read: not in the thread that drives."""

    def __init__(
        self, execution_id: UUID, after: int, events: Sequence[RunEvent], bulk: Mapping[str | None, Bulk]
    ) -> None:
        self._execution_id, self._after, self._events, self._bulk = execution_id, after, events, bulk

    def __len__(self) -> int:
        return len(self._events)

    @overload
    def __getitem__(self, place: int) -> JSONObject: ...
    @overload
    def __getitem__(self, place: slice) -> list[JSONObject]: ...
    def __getitem__(self, place: int | slice) -> JSONObject | list[JSONObject]:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        event = self._events[place]
        return frame(
            self._execution_id,
            self._after + 1 + place % len(self),
            kind=event.type,
            at=event.at,
            data=storable(event.data),
            node_id=event.node_id,
            scope=event.scope,
            bulk=self._bulk.get(event.node_id),
        )


def load(execution_id: UUID, *, after: int = 0, limit: int = PAGE) -> list[JSONObject]:
    """Frames of the run with numbers above *after*, in order, at most *limit*."""
    rows = list(_rows(execution_id, after)[:limit])
    return [
        frame(
            execution_id,
            row["seq"],
            kind=row["type"],
            at=row["at"],
            data=row["data"],
            node_id=row["node_id"],
            scope=row["scope"],
            bulk=row["length"] if row["short"] is None else row["short"],
        )
        for row in rows
    ]


def _rows(execution_id: UUID, after: int) -> Any:
    """Events with their bulk as text; of a text that is too long, only its length leaves the database."""
    node = NodeRun.objects.filter(execution=OuterRef("execution"), node_id=OuterRef("node_id"), scope=OuterRef("scope"))
    run = Execution.objects.filter(pk=OuterRef("execution"))

    def text(of: Any, column: str) -> Subquery:
        return Subquery(of.annotate(text=Cast(column, TextField())).values("text")[:1])

    bulk = Case(
        When(type=EventType.NODE_COMPLETED, then=text(node, "output")),
        When(type=EventType.EXECUTION_COMPLETED, then=text(run, "outputs")),
        output_field=TextField(),
    )
    return (
        Event.objects.filter(execution=execution_id, seq__gt=after)
        .order_by("seq")
        .annotate(bulk=bulk)
        .annotate(length=Length("bulk", output_field=IntegerField()))
        .annotate(short=Case(When(length__lte=WIDEST, then=F("bulk")), output_field=TextField()))
        .values("seq", "type", "at", "data", "node_id", "scope", "length", "short")
    )
