"""The API of many runs at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from executions import bulk, deleting, rerunning, services
from executions.bodies import BulkBody
from executions.bulk import BulkAction
from executions.filters import ExecutionFilter
from executions.models import Execution
from executions.querysets import ExecutionQuerySet
from executions.serializers import BulkSerializer
from workflows.http import idempotency
from workflows.http.auth import Caller
from workflows.http.errors import InsufficientScope, ObjectNotFound
from workflows.http.views import Endpoints, find
from workflows.models import Workflow

# As for one run. What is deleted is gone for everybody, and with it what happened: that is for owners.
SCOPES: Final[Mapping[BulkAction, frozenset[str]]] = {
    BulkAction.CANCEL: frozenset({"executions:cancel"}),
    BulkAction.RETRY: frozenset({"workflows:read", "workflows:execute"}),
    BulkAction.DELETE: frozenset({"admin"}),
}


class BulkViewSet(Endpoints):
    queryset = Execution.objects.none()
    scopes = {"bulk": {"executions:read"}}

    @extend_schema(request=BulkBody, responses={200: BulkSerializer}, parameters=[idempotency.PARAMETER])
    def bulk(self, request: Request) -> Response:
        """Cancel, retry or delete many runs: those that are named, or those that a filter finds.

        Besides `executions:read` it wants what the same verb wants for one run: `executions:cancel`; `workflows:read`
        and `workflows:execute`; `admin` to delete. What one run refuses is in `errors`, and the others go on. Of what a
        filter finds it takes those that the verb is for, a hundred at a time, the oldest first: `remaining` says how
        many are left for the next call. A retry by a filter takes runs that no other run has taken over from yet.
        """
        body = self.body(BulkBody)
        action = BulkAction(body["action"])
        if missing := SCOPES[action] - self.caller.scopes:
            raise InsufficientScope(required=missing, yours=self.caller.scopes)
        mine = Execution.objects.of(self.caller.workspace_id).only("workflow_id")
        found = self._found(mine, body["filter"], action) if "filter" in body else None

        def act() -> Response:
            ids, remaining = _taken(found) if found is not None else (body["ids"], 0)
            verb = _verbs(mine, self.caller, reason=body.get("reason"))[action]
            fates = bulk.each(ids, verb, refusals=(ObjectNotFound, Execution.DoesNotExist))
            answer = {"action": action, **bulk.counts(fates), "remaining": remaining, "fates": fates}
            return Response(BulkSerializer(answer, context={"told": _told(request)}).data)

        return idempotency.once(request, act)

    @staticmethod
    def _found(mine: ExecutionQuerySet, wanted: Mapping[str, Any], action: BulkAction) -> ExecutionQuerySet:
        """The runs that *wanted* finds and *action* is for. Raises ValidationError."""
        given = {name: str(value) for name, value in wanted.items()}
        filtered = ExecutionFilter(data=given, queryset=bulk.open_to(mine, action))
        if not filtered.is_valid():
            raise ValidationError({"filter": {name: [*map(str, wrong)] for name, wrong in filtered.errors.items()}})
        found: ExecutionQuerySet = filtered.qs
        return found


def _taken(found: ExecutionQuerySet) -> tuple[list[UUID], int]:
    """The oldest, and how many are left."""
    ids = list(found.order_by("created_at", "pk").values_list("pk", flat=True)[: bulk.MOST])
    return ids, found.count() - len(ids) if len(ids) == bulk.MOST else 0


def _verbs(
    mine: ExecutionQuerySet, caller: Caller, *, reason: str | None
) -> Mapping[BulkAction, Callable[[UUID], UUID | None]]:
    """By action: how it is done to one run. Each raises ObjectNotFound for a run that the caller does not have."""

    def cancel(pk: UUID) -> None:
        services.cancel_execution(find(mine, pk).pk, reason=reason or f"Cancelled by {caller.name}")

    def retry(pk: UUID) -> UUID:
        execution = find(mine, pk)
        find(Workflow.objects.alive().of(caller.workspace_id), execution.workflow_id)
        return rerunning.retry_execution(execution.pk, started_by=caller.user).pk

    def delete(pk: UUID) -> None:
        deleting.delete_execution(find(mine, pk).pk)

    return {BulkAction.CANCEL: cancel, BulkAction.RETRY: retry, BulkAction.DELETE: delete}


def _told(request: Request) -> Callable[[Exception], Any]:
    """How an error is told, here as in an answer of its own."""
    as_answer: Any = api_settings.EXCEPTION_HANDLER  # the function that the name in the settings means
    return lambda error: as_answer(error, {"request": request}).data
