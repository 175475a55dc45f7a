"""What comes at the same moment, on real PostgreSQL: every answer is taken once or refused, and none is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from executions import driver, store
from executions.core import RunStatus
from executions.core.statuses import WaitpointStatus
from executions.models import Execution, Vote, Waitpoint
from executions.services import (
    NotCancellable,
    NotHeld,
    NotPausable,
    cancel_execution,
    pause_execution,
    unpause_execution,
)
from executions.sweep import Sweeper
from executions.waitpoints import events, services
from executions.waitpoints.errors import Answered, AnswerRefused, Expired, RunEnded, VotedAlready
from handlers import PauseKind
from tests.doors import Api
from tests.executions.runs import begin, numbers, outputs, reread, story
from tests.executions.workers import Workers, in_parallel
from tests.factories import WaitpointFactory
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 20


def asking(drawing: str = "start -> h -> b", **more: Any) -> Execution:
    types = {"start": "trigger", **dict.fromkeys(["h", "h1", "h2"], "test.ask"), **more.pop("types", {})}
    return begin(drawing, default="test.count", types=types, **more)


def paused(workers: Workers, drawing: str = "start -> h -> b", **more: Any) -> Execution:
    run = asking(drawing, **more)
    workers.deliver_all()
    assert reread(run).status == RunStatus.PAUSED
    return run


def of(run: Execution, node_id: str = "h") -> Waitpoint:
    return Waitpoint.objects.get(execution=run, node_id=node_id)


def tried(act: Callable[[], Any], *refusals: type[Exception]) -> Any:
    """What *act* returns, or the class of the refusal that it raises."""
    try:
        return act()
    except refusals as refused:
        return type(refused)


def answer(waitpoint: Waitpoint, value: Any, *, by: str = "x") -> str | type[Exception]:
    """The value, where it was taken."""
    act = partial(services.answer, waitpoint.pk, value, by=by, kinds=[PauseKind.HUMAN])
    told = tried(act, AnswerRefused)
    return told if isinstance(told, type) else value


def is_told_once(run: Execution) -> bool:
    """Its events have no gap, and nothing is told twice."""
    told = story(run)
    return numbers(run) == list(range(1, len(told) + 1)) and max(Counter(told).values()) == 1


def at(moment: datetime, act: Callable[[], Any]) -> Any:
    """What *act* returns, called at that moment and not later than we can help."""
    while timezone.now() < moment:
        pass
    return act()


class TestAnswers:
    def test_one_of_many_answers_to_a_question_is_applied(self, workers: Workers) -> None:
        """The others are told that it was answered."""
        run = paused(workers)

        told = in_parallel([partial(answer, of(run), number) for number in range(MANY)])
        workers.deliver_by(4)

        [taken] = [each for each in told if not isinstance(each, type)]
        assert Counter(each for each in told if isinstance(each, type)) == {Answered: MANY - 1}
        assert (reread(run).status, outputs(run)["h"]["answer"]) == (RunStatus.COMPLETED, taken)
        assert (of(run).answer, counted(run.pk)) == (taken, {"b": 1})

    def test_answers_to_many_questions_of_a_run_are_all_applied(self, workers: Workers) -> None:
        """One after the other, and the join behind them runs once."""
        branches = ", ".join(f"start -> h{number} -> b{number} -> j" for number in range(MANY))
        run = paused(workers, branches, types={f"h{number}": "test.ask" for number in range(MANY)})

        told = in_parallel([partial(answer, of(run, f"h{number}"), number) for number in range(MANY)])
        workers.deliver_by(4, order=Random(7))

        assert told == list(range(MANY))
        assert reread(run).status == RunStatus.COMPLETED
        assert counted(run.pk) == {"j": 1, **{f"b{number}": 1 for number in range(MANY)}}
        assert [outputs(run)[f"h{number}"]["answer"] for number in range(MANY)] == told

    def test_one_of_many_requests_is_answered_with_the_same_key(self, workers: Workers) -> None:
        """The others are told that it is at work, or get the same answer: none is a conflict with itself."""
        run = paused(workers)
        api = Api(run.workspace)

        def ask() -> tuple[int, str]:
            body = {"node_id": "h", "input": 1}
            told = api.post(f"/executions/{run.pk}/resume", body, Idempotency_Key="k")
            return told.status_code, told.json().get("error", {}).get("code", "")

        told = Counter(in_parallel([ask] * MANY))

        assert told.keys() <= {(202, ""), (409, "idempotency_in_progress")}
        assert told[202, ""] >= 1
        assert of(run).answer == 1


class TestVotes:
    def test_votes_are_counted_right(self) -> None:
        """Ten of nineteen who say yes decide among twenty, whoever comes first; who is late is told so."""
        waitpoint = WaitpointFactory(votes_needed=10, voters=MANY)
        votes = [number != 0 for number in range(MANY)]

        told = in_parallel([partial(answer, waitpoint, vote, by=f"v{n}") for n, vote in enumerate(votes)])

        stored = list(Vote.objects.filter(waitpoint=waitpoint).values_list("value", flat=True))
        waitpoint.refresh_from_db()
        assert (waitpoint.status, waitpoint.answer) == (WaitpointStatus.COMPLETED, True)
        assert (stored.count(True), len(stored)) in {(10, 10), (10, 11)}
        assert told.count(Answered) == MANY - len(stored)

    def test_last_vote_decides_however_many_come_at_once(self) -> None:
        """Where all have to say yes, none may be missed."""
        waitpoint = WaitpointFactory(votes_needed=MANY, voters=MANY)

        told = in_parallel([partial(answer, waitpoint, True, by=f"v{number}") for number in range(MANY)])

        waitpoint.refresh_from_db()
        assert (told, waitpoint.status, waitpoint.answer) == ([True] * MANY, WaitpointStatus.COMPLETED, True)

    def test_voter_who_votes_many_times_at_once_has_one_vote(self) -> None:
        """By whichever window."""
        waitpoint = WaitpointFactory(votes_needed=MANY, voters=MANY)

        told = in_parallel([partial(answer, waitpoint, True, by="Ada")] * MANY)

        assert Counter(told) == {True: 1, VotedAlready: MANY - 1}
        assert Vote.objects.count() == 1


class TestEnds:
    @pytest.mark.parametrize("seed", range(8))
    def test_answer_and_cancel_leave_one_end(self, workers: Workers, seed: int) -> None:
        """Either may come first; the run is cancelled unless it was over by then, and nothing is told after its end."""
        run = paused(workers)
        jobs = [
            lambda: answer(of(run), 1),
            lambda: tried(lambda: cancel_execution(run.pk), NotCancellable),
            lambda: driver.drive(run.pk),
        ]
        Random(seed).shuffle(jobs)

        told = in_parallel(jobs)
        workers.deliver_by(2)

        answered, cancelled = 1 in told, NotCancellable not in told
        assert answered or RunEnded in told
        assert reread(run).status == (RunStatus.CANCELLED if cancelled else RunStatus.COMPLETED)
        assert story(run)[-1] == ("execution:cancelled" if cancelled else "execution:completed")
        assert is_told_once(run)
        assert of(run).status == (WaitpointStatus.COMPLETED if answered else WaitpointStatus.WITHDRAWN)
        assert of(run).folded

    @pytest.mark.parametrize("seed", range(8))
    def test_answer_and_expiry_leave_one_outcome(self, workers: Workers, seed: int) -> None:
        """What was confirmed is applied, though its time comes in that moment; what expired was not confirmed."""
        run = paused(workers, "start -> h -> ok, h:timeout -> late", nodes={"h": {"config": {"ms": 3_600_000}}})
        due = timezone.now() + timedelta(milliseconds=100)
        Waitpoint.objects.update(due_at=due)
        early = [due - timedelta(milliseconds=Random(seed).uniform(0, 10)) for _ in range(4)]

        told = in_parallel(
            [
                partial(at, due, lambda: driver.drive(run.pk)),
                *[partial(at, moment, lambda: answer(of(run), 1)) for moment in early],
            ]
        )
        workers.deliver_by(2)

        taken = 1 in told
        assert set(told[1:]) <= {1, Answered, Expired, RunEnded}
        assert told.count(1) == taken
        assert reread(run).status == RunStatus.COMPLETED
        assert counted(run.pk) == ({"ok": 1} if taken else {"late": 1})
        assert of(run).status == (WaitpointStatus.COMPLETED if taken else WaitpointStatus.EXPIRED)
        assert is_told_once(run)

    def test_many_sweeps_wake_a_timer_once(self, workers: Workers) -> None:
        """Each of them asks for a drive; one finds something to fold."""
        run = paused(workers, nodes={"h": {"config": {"kind": "timer", "ms": 3_600_000}}})
        Waitpoint.objects.update(due_at=timezone.now() - timedelta(seconds=1))

        in_parallel([lambda: Sweeper().sweep()] * 4)
        workers.deliver_by(4)

        assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, {"b": 1})
        assert is_told_once(run)


class TestPausing:
    @pytest.mark.parametrize("seed", range(8))
    def test_answer_while_the_run_is_just_pausing_is_applied(self, workers: Workers, seed: int) -> None:
        """It is there before the run has paused, after it, or in the very moment."""
        run = asking("start -> h -> j, start -> a -> j")
        workers.deliver(workers.waiting.pop(0))  # h is open, a is out or done
        waitpoint = of(run)

        told = in_parallel([lambda: answer(waitpoint, "now"), lambda: workers.deliver_by(2, order=Random(seed))])
        workers.deliver_by(2)

        assert told[0] == "now"
        assert (reread(run).status, outputs(run)["h"]["answer"]) == (RunStatus.COMPLETED, "now")
        assert counted(run.pk) == {"a": 1, "j": 1}
        assert is_told_once(run)

    def test_answer_that_finds_the_run_locked_is_taken_by_who_holds_it(self, workers: Workers) -> None:
        """It waits for nobody: it is stored, and whoever drives looks again."""
        run = paused(workers)

        with transaction.atomic():
            assert store.take(run.pk, wait=True) is not None
            told = in_parallel([lambda: answer(of(run), "meanwhile")])
        workers.deliver_by(2)

        assert told == ["meanwhile"]
        assert (reread(run).status, outputs(run)["h"]["answer"]) == (RunStatus.COMPLETED, "meanwhile")

    @pytest.mark.parametrize("seed", range(8))
    def test_pause_and_release_and_answer_at_once_lose_nothing(self, workers: Workers, seed: int) -> None:
        """However they come, a run that is released in the end goes on with its answer."""
        run = paused(workers)
        jobs = [
            lambda: answer(of(run), 1),
            lambda: tried(lambda: pause_execution(run.pk), NotPausable),
            lambda: tried(lambda: unpause_execution(run.pk), NotHeld),
            lambda: driver.drive(run.pk),
        ]
        Random(seed).shuffle(jobs)

        told = in_parallel(jobs)
        workers.deliver_by(2)
        tried(lambda: unpause_execution(run.pk), NotHeld)
        workers.deliver_by(2)

        assert 1 in told
        assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, {"b": 1})
        assert outputs(run)["h"]["answer"] == 1


class TestEvents:
    def test_one_of_many_events_completes_each_question(self, workers: Workers) -> None:
        """Of those that come at once; the others find nothing that waits."""
        nodes = {name: {"config": {"kind": "event", "key": "paid"}} for name in ("h1", "h2")}
        run = paused(workers, "start -> h1 -> j, start -> h2 -> j", nodes=nodes)

        def send(number: int) -> int:
            return events.receive(run.workspace_id, type="paid", payload=number, by="x")

        told = in_parallel([partial(send, number) for number in range(MANY)])
        workers.deliver_by(4)

        assert sum(told) == 2
        assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, {"j": 1})

    def test_event_and_cancel_leave_one_end(self, workers: Workers) -> None:
        """What was withdrawn was not completed."""
        nodes = {name: {"config": {"kind": "event", "key": "paid"}} for name in ("h1", "h2")}
        run = paused(workers, "start -> h1 -> j, start -> h2 -> j", nodes=nodes)

        told = in_parallel(
            [
                lambda: events.receive(run.workspace_id, type="paid", payload=1, by="x"),
                lambda: cancel_execution(run.pk),
            ]
        )
        workers.deliver_by(2)

        assert reread(run).status == RunStatus.CANCELLED
        statuses = Counter(Waitpoint.objects.values_list("status", flat=True))
        assert statuses == ({"completed": 2} if told[0] else {"withdrawn": 2})
