"""The waitpoints of a simulated run: the engine's rows, in a list instead of a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from executions import pauses, runner
from executions.answers import EXPIRED
from executions.core import Outcome, Paused
from executions.core.scopes import path
from executions.core.statuses import WaitpointStatus
from executions.models import Waitpoint
from executions.report import Ran
from handlers import TIMEOUT_PORT, HandlerError, JSONValue, Pause, PauseKind, Resumed
from handlers.answers import check_answer
from tests.conformance.sources import Visit


class Waitpoints:
    """Those of one run: what opens, what is answered or falls due, what is not wanted any more."""

    def __init__(self, run: Any) -> None:
        self._run = run  # simulated.Simulated
        self._all: dict[str, Waitpoint] = {}  # by path; of one that opens again, the last
        self._news: list[Waitpoint] = []  # answered or due, and not folded yet

    def ask(self, visit: Visit, pause: Pause) -> Paused:
        run, now = self._run, self._run.world.moment()
        place = (visit.scope, visit.node_id)
        waitpoint = pauses.waitpoint_of(pause, place, execution_id=run.id, workspace_id=run.id, at=now)
        self._all[path(*place)] = waitpoint
        if waitpoint.due_at is not None:
            in_ms = (waitpoint.due_at - now) / timedelta(milliseconds=1)
            run.world.later(lambda: self._fall_due(waitpoint), ms=in_ms)
        return Paused(node_id=visit.node_id, scope=visit.scope, waitpoint=pauses.told(waitpoint))

    def open(self) -> Iterator[str]:
        """The paths of those that take an answer."""
        return (at for at, each in self._all.items() if each.status == WaitpointStatus.OPEN and each not in self._news)

    def answer(self, at: str, value: JSONValue) -> str:
        """What is replied to an answer to the waitpoint at that path, in the words of the suite."""
        waitpoint = self._all.get(at)
        if self._run.close is not None:
            return "run_ended"
        if waitpoint is None:
            return "not_found"
        if waitpoint.kind != PauseKind.HUMAN:
            return "wrong_kind"
        match WaitpointStatus(waitpoint.status):
            case WaitpointStatus.COMPLETED:
                return "conflict"
            case WaitpointStatus.WITHDRAWN:
                return "withdrawn"
            case WaitpointStatus.EXPIRED:
                return "expired"
        if waitpoint in self._news:
            return "expired"  # its moment has come, and nobody has looked yet
        if check_answer(waitpoint.schema, value):
            return "invalid"
        waitpoint.status, waitpoint.answer = WaitpointStatus.COMPLETED.value, value
        self._tell(waitpoint)
        return "accepted"

    def withdraw(self, at: str) -> None:
        """Nobody is to answer it any more."""
        if (waitpoint := self._all.get(at)) is not None:
            self._news = [each for each in self._news if each is not waitpoint]
            if waitpoint.status == WaitpointStatus.OPEN:
                waitpoint.status = WaitpointStatus.WITHDRAWN.value

    def withdraw_all(self) -> None:
        for at in self._all:
            self.withdraw(at)

    def take_news(self) -> Iterator[Outcome]:
        """As `answers.read_answers` has them: what the nodes come to that waited, in the order in which it came."""
        news, self._news = self._news, []
        for waitpoint in news:
            visit = self._run.visits[waitpoint.scope, str(waitpoint.node_id)]
            yield self._run.ended(visit, self._come_to(waitpoint, visit.told(self._run.id)))

    def _come_to(self, waitpoint: Waitpoint, visit: runner.Visit) -> Ran:
        prepared, began, now = self._run.prepared, waitpoint.created_at, self._run.world.moment()
        if waitpoint.status == WaitpointStatus.OPEN and waitpoint.kind != PauseKind.TIMER:
            waitpoint.status = WaitpointStatus.EXPIRED.value
            if TIMEOUT_PORT in prepared.graph.ports(visit.node_id):
                return runner.expired(prepared, visit, at=began)
            error = HandlerError(f"{visit.node_id} was not answered in time", code=EXPIRED)
            return runner.completed(prepared, visit, error, at=began)
        waitpoint.status = WaitpointStatus.COMPLETED.value
        resumed = Resumed(
            node_id=visit.node_id,
            scope=visit.scope,
            state=waitpoint.state,
            answer=waitpoint.answer,
            paused_at=began,
            now=now,
        )
        return runner.resume(prepared, visit, resumed)

    def _fall_due(self, waitpoint: Waitpoint) -> None:
        if waitpoint.status == WaitpointStatus.OPEN:
            self._tell(waitpoint)

    def _tell(self, waitpoint: Waitpoint) -> None:
        self._news.append(waitpoint)
        self._run.look_soon()
