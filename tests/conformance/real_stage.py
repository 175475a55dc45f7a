"""A run on the real stack as the timeline of a case sees it, and acts upon it through the API."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.http import HttpResponse
from django.utils import timezone

from executions import answers, family
from executions.core import NodeStatus, RunStatus, load_state
from executions.core.scopes import path
from executions.core.statuses import WaitpointStatus
from executions.models import Execution, ExecutionState, NodeRun, Waitpoint
from executions.plans import prepared
from executions.waitpoints import naming
from tests.conformance.machines import Machines
from tests.conformance.timeline import FINAL, Action
from tests.conformance.trial import Trial
from tests.doors import Api, data

LEFT_ALONE: Final = timedelta(minutes=1)  # what is due later is not waited for
_FOUND_WITHIN: Final = 5.0  # seconds for a worker to hold the node that is running

# What the suite calls the codes of refusals.
REPLIES: Final = {
    "idempotency_conflict": "conflict",
    "invalid_answer": "invalid",
    "resource_not_found": "not_found",
    "run_ended": "run_ended",
    "waitpoint_answered": "conflict",
    "waitpoint_expired": "expired",
    "waitpoint_required": "conflict",
    "waitpoint_withdrawn": "withdrawn",
    "wrong_kind": "wrong_kind",
}


class RealStage:
    """`timeline.Stage`. Questions that are asked again and again go to the rows, all else through the doors."""

    def __init__(self, trial: Trial, machines: Machines) -> None:
        self._trial, self._machines = trial, machines

    # ---- seeing
    def status(self) -> str:
        status = Execution.objects.values_list("status", flat=True).get(pk=self._trial.run_id)
        return status if status != RunStatus.PAUSED or self._is_settled() else RunStatus.RUNNING.value

    def open(self) -> Collection[str]:
        run = Execution.objects.only("status").get(pk=self._trial.run_id)
        return [named.path for named in naming.open_in(run)]

    def ran(self) -> dict[str, int]:
        ran: dict[str, int] = self._trial.observed()["ran"]
        return ran

    def is_running(self, path: str) -> bool:
        return self._row(path) is not None

    def elapsed_ms(self) -> float:
        begun = Execution.objects.values_list("created_at", flat=True).get(pk=self._trial.run_id)
        return (timezone.now() - begun) / timedelta(milliseconds=1)

    def is_left_alone(self) -> bool:
        status = self.status()
        if status in FINAL:
            return not [run for run, call in self._family() if call and self._is_live(run)]
        if status != RunStatus.PAUSED:
            return False
        runs, soon = dict(self._family()), timezone.now() + LEFT_ALONE
        is_due = Waitpoint.objects.filter(execution__in=runs, status=WaitpointStatus.OPEN, due_at__lt=soon).exists()
        return not is_due and not NodeRun.objects.filter(execution__in=runs, folded=False, due_at__lt=soon).exists()

    def _is_settled(self) -> bool:
        """Whether a run that is paused, with those that it started, has taken in all that it was told.

        What the children do is asked first: what they do later, they do because they are told.
        """
        for run, _ in reversed([*self._family()]):
            execution = Execution.objects.only("status", "version").get(pk=run)
            status = RunStatus(execution.status)
            if status.is_final:
                continue
            if status is not RunStatus.PAUSED or answers.are_in(run, now=timezone.now()):
                return False
            state = load_state(ExecutionState.objects.values_list("state", flat=True).get(pk=run))
            if family.has_news(run, state, prepared(execution.version_id)):
                return False
        return True

    def _is_live(self, run: UUID) -> bool:
        return not RunStatus(Execution.objects.values_list("status", flat=True).get(pk=run)).is_final

    def _family(self) -> Iterator[tuple[UUID, str]]:
        """The run and those that it started, each with what stands before the paths of its nodes."""
        found = [(self._trial.run_id, "")]
        for run, call in found:
            yield run, call
            children = Execution.objects.filter(parent=run).values_list("pk", "parent_scope", "parent_node")
            found += [(child, f"{call}{path(str(scope), str(node))}/") for child, scope, node in children]

    def _row(self, at: str) -> NodeRun | None:
        """The node run of that path, while a worker holds it."""
        for run, call in self._family():
            scope, _, node_id = at.removeprefix(call).rpartition("/")
            row = NodeRun.objects.filter(execution=run, scope=scope, node_id=node_id, status=NodeStatus.RUNNING).first()
            if at.startswith(call) and row is not None:
                return row
        return None

    # ---- acting
    def do(self, action: Action) -> dict[str, Any]:  # noqa: C901, PLR0912 -- one case per kind
        match action["do"]:
            case "resume":
                return {"reply": self._answer(self._trial.api, action)}
            case "together":
                replies = self._answer_at_once(action["answers"])
                # Of those that lost, one may come when the run is over already: a 409 as well.
                return {"replies": sorted("conflict" if reply == "run_ended" else reply for reply in replies)}
            case "cancel":
                self._trial.cancelled_at = timezone.now()
                # One that is over cannot be cancelled: 400, as the published client has it.
                return {"reply": "accepted" if self._post("cancel").status_code == HTTPStatus.OK else "conflict"}
            case "cancel_other_run":
                data(self._trial.api.post(f"/executions/{self._trial.start()}/cancel"))
            case "pause":
                data(self._post("pause"), 202)
            case "unpause":
                data(self._post("resume"), 202)
            case "advance":
                self._advance(timedelta(milliseconds=action["ms"]))
            case "edit":
                self._trial.edit(action["definition"])
            case "retry" | "rerun" as verb:
                return {"reply": self._begin_again(verb, action)}
            case "kill_worker":
                self._machines.kill_worker(self._owner(action["when"]["running"]))
            case "restart":
                self._machines.restart()
            case "flush_redis":
                self._machines.flush_redis()
            case "restart_postgres":
                self._machines.restart_postgres()
            case other:
                raise ValueError(f"there is no such action: {other}")
        return {}

    def _answer(self, api: Api, answer: Action) -> str:
        key = {"Idempotency_Key": answer["key"]} if "key" in answer else {}
        body = {"node_id": answer["node"], "input": answer["input"]}
        return _reply(api.post(f"/executions/{self._trial.run_id}/resume", body, **key))

    def _answer_at_once(self, given: list[Action]) -> list[str]:
        """Each by a client of its own."""

        def send(answer: Action, api: Api) -> str:
            try:
                return self._answer(api, answer)
            finally:
                connection.close()

        with ThreadPoolExecutor(len(given)) as pool:
            return [*pool.map(send, given, [Api(self._trial.api.workspace) for _ in given])]

    def _advance(self, span: timedelta) -> None:
        """The clock is everybody's, so what is waited for comes nearer instead."""
        runs = dict(self._family())
        Waitpoint.objects.filter(execution__in=runs, status=WaitpointStatus.OPEN).update(
            created_at=F("created_at") - span, due_at=F("due_at") - span
        )
        NodeRun.objects.filter(execution__in=runs, folded=False).update(due_at=F("due_at") - span)

    def _owner(self, at: str) -> int:
        """The lease of the worker that runs a node."""
        ends = time.monotonic() + _FOUND_WITHIN
        while time.monotonic() < ends:
            row = self._row(at)
            if row is not None and row.owner is not None:
                return row.owner
        raise TimeoutError(f"nobody runs {at}")

    def _begin_again(self, verb: str, action: Action) -> str:
        """From here on, the run is the new one."""
        asked = {"from_node": action.get("from"), "inputs": action.get("inputs"), "version": action.get("version")}
        response = self._post(verb, {name: value for name, value in asked.items() if value is not None})
        if response.status_code != HTTPStatus.ACCEPTED:
            return "refused"
        self._trial.execution_id = data(response, HTTPStatus.ACCEPTED)["execution_id"]
        return "accepted"

    def _post(self, verb: str, body: dict[str, Any] | None = None) -> HttpResponse:
        return self._trial.api.post(f"/executions/{self._trial.run_id}/{verb}", body)


def _reply(response: HttpResponse) -> str:
    if response.status_code == HTTPStatus.ACCEPTED:
        return "accepted"
    code = response.json()["error"]["code"]
    return REPLIES.get(code, code)
