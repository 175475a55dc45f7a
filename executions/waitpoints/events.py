"""Events that are sent to a workspace, and the runs that wait for them."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from executions import dispatch
from executions.core.statuses import WaitpointStatus
from executions.models import Waitpoint
from handlers import JSONObject, JSONValue, PauseKind
from handlers.answers import check_answer
from handlers.values import is_same

_INDEX: Final = re.compile(r"[0-9]{1,9}")


def receive(workspace_id: UUID, *, type: str, payload: JSONValue, by: str) -> int:  # noqa: A002 -- the API's word
    """Complete everything that waits for this event in the workspace; returns how much that was.

    A waitpoint takes an event of its type whose payload has all that it `matches`, and fits its schema.
    """
    now = timezone.now()
    open_ones = Waitpoint.objects.of(workspace_id).open().filter(Q(due_at=None) | Q(due_at__gt=now), key=type)
    waiting = open_ones.filter(kind=PauseKind.EVENT)
    fits = _Judge(payload)
    wanted = [pk for pk, matches, schema in waiting.values_list("pk", "matches", "schema") if fits(matches, schema)]
    with transaction.atomic():
        ours = dict(waiting.filter(pk__in=wanted).select_for_update().order_by("pk").values_list("pk", "execution_id"))
        Waitpoint.objects.filter(pk__in=ours).update(
            status=WaitpointStatus.COMPLETED, closed_at=now, answer=payload, answered_by=by
        )
        for execution_id in set(ours.values()):
            transaction.on_commit(partial(dispatch.drive, execution_id), robust=True)
    return len(ours)


class _Judge:
    """Whether a payload is what a waitpoint wants. Branches of a parallel want the same, which is looked at once."""

    def __init__(self, payload: JSONValue) -> None:
        self._payload = payload
        self._known: dict[str, bool] = {}

    def __call__(self, matches: JSONObject, schema: JSONObject | None) -> bool:
        wanted = json.dumps([matches, schema])
        if wanted not in self._known:
            self._known[wanted] = matches_all(self._payload, matches) and not check_answer(schema, self._payload)
        return self._known[wanted]


def matches_all(payload: JSONValue, matches: JSONObject) -> bool:
    """Whether *payload* has each value of *matches* where its key leads: a field, or a path such as `order.items.0`."""
    return all(any(is_same(found, wanted) for found in _found(payload, path)) for path, wanted in matches.items())


def _found(payload: JSONValue, path: str) -> list[JSONValue]:
    """What is where *path* leads, or nothing."""
    if isinstance(payload, dict) and path in payload:
        return [payload[path]]
    value = payload
    for step in path.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return []
    return [value]
