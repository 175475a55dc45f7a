from __future__ import annotations

import os
import threading
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from executions import departure, hotpath
from executions.attempts import Attempt, in_flight
from executions.core import RunStatus
from executions.departure import Departure, hand_over
from executions.leases import lease
from executions.models import Execution, NodeRun
from handlers import HandlerError, NodeOutput
from tests.executions.accidents import fall_due
from tests.executions.runs import begin, outputs, reread, row, statuses, story
from tests.executions.scripted import Script, answers, in_turn, raises
from tests.factories import WorkerLeaseFactory
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """None: these handlers end in the thread that waits for them, or do not end."""
    monkeypatch.setattr(departure, "_STOPS_WITHIN", 0.01)
    monkeypatch.setattr(departure, "_ENDS_WITHIN", 0.01)
    return monkeypatch


class TestHandOver:
    def test_node_is_ready_under_a_new_fence_and_sent(self, messages: Messages, mine: NodeRun) -> None:
        """It has lost no worker: a site that is deployed three times while it runs has not crashed thrice."""
        messages.lose_all()
        messages.sent.clear()

        given = hand_over(lease.id())

        mine.refresh_from_db()
        assert (given, mine.status, mine.attempt, mine.lost, mine.owner) == (1, "ready", 2, 0, None)
        assert [message.args[0] for message in messages.sent] == [[str(mine.pk)]]

    def test_attempt_that_was_cut_off_is_none_of_its_tries(
        self, messages: Messages, scripts: dict[str, Script], settings: Settings
    ) -> None:
        settings.FLOWMAESTRO_LANES = ["drive"]
        not_yet = raises(HandlerError("not yet", retryable=True))

        def long(node: Any, lent: Any) -> NodeOutput:
            hand_over(lease.id())
            raise HandlerError("called off", retryable=True)

        scripts["a"] = in_turn(long, not_yet, long, not_yet, answers("done"))
        run = begin("start -> a", default="test.script")
        messages.deliver_all()
        fall_due(messages, run)
        fall_due(messages, run)

        assert (row(run, "a").output, row(run, "a").attempt) == ("done", 5)

    def test_node_that_is_not_to_be_run_again_fails(self, messages: Messages, scripts: dict[str, Script]) -> None:
        scripts["a"] = lambda node, lent: hand_over(lease.id()) and NodeOutput(data="late")
        nodes = {"a": {"onInterrupted": "fail"}, "h": {"config": {"value": "{{a.error.code}}"}}}
        run = begin("start -> a -> b, a:error -> h", default="test.script", nodes=nodes)

        messages.deliver_all()

        assert statuses(run) == {"start": "completed", "a": "failed", "b": "skipped", "h": "completed"}
        assert (outputs(run)["h"], row(run, "a").attempt) == ({"result": "worker_lost"}, 2)

    def test_handler_is_called_off_and_its_last_word_refused(
        self, messages: Messages, scripts: dict[str, Script]
    ) -> None:
        def long(node: Any, lent: Any) -> NodeOutput:
            hand_over(lease.id())
            lent.check_cancelled()
            raise AssertionError("it was not called off")

        scripts["a"] = in_turn(long, lambda node, lent: NodeOutput(data="of another worker"))
        run = begin("start -> a -> b", default="test.script")

        messages.deliver_all()

        assert (reread(run).status, outputs(run)["a"]) == (RunStatus.COMPLETED, "of another worker")
        assert story(run).count("completed a") == 1
        assert "failed a" not in story(run)

    def test_handler_has_its_moment_to_end_before_the_node_is_sent(
        self, messages: Messages, mine: NodeRun, patience: pytest.MonkeyPatch
    ) -> None:
        """No longer than it takes: here the attempt ends as soon as it is called off."""
        patience.setattr(departure, "_STOPS_WITHIN", 3600)
        messages.sent.clear()
        sent_by_then: list[int] = []
        attempt = Attempt(mine.execution_id, "a", "", seconds=60)

        def stop() -> None:
            sent_by_then.append(len(messages.sent))
            in_flight.remove(mine.pk, 1)

        attempt.on_cancel(stop)
        in_flight.add(mine.pk, 1, attempt)

        hand_over(lease.id())

        assert (sent_by_then, len(messages.sent)) == ([0], 1)

    def test_rows_of_others_are_left_to_them(self, messages: Messages, run: Execution) -> None:
        """As are those that are ready, and those that have ended."""
        other = WorkerLeaseFactory()
        hotpath.claim(row(run, "a").pk, owner=other.pk)
        before = list(NodeRun.objects.order_by("pk").values())

        given = hand_over(lease.id())

        assert (given, list(NodeRun.objects.order_by("pk").values())) == (0, before)


class TestDeparture:
    @pytest.fixture(autouse=True)
    def exits(self, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[int]:
        """The exit codes with which the process would have ended."""
        codes: list[int] = []
        monkeypatch.setattr(os, "_exit", codes.append)
        settings.FLOWMAESTRO_DRAIN = timedelta()
        return codes

    def test_process_that_ends_in_time_hands_nothing_over(
        self, exits: list[int], settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.FLOWMAESTRO_DRAIN = timedelta(minutes=1)
        given: list[int] = []
        monkeypatch.setattr(departure, "hand_over", given.append)
        leaving = Departure()

        leaving.begin()
        leaving.end()

        assert (given, exits) == ([], [])

    def test_process_whose_attempts_do_not_end_ends_without_them(self, exits: list[int], mine: NodeRun) -> None:
        leaving = Departure()

        leaving.begin()
        leaving._thread.join()

        mine.refresh_from_db()
        assert (mine.status, mine.attempt, exits) == ("ready", 2, [0])

    def test_process_ends_although_nothing_can_be_handed_over(
        self, exits: list[int], mine: NodeRun, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The database is away: others take over when the lease has run out."""

        def fail(owner: int) -> int:
            raise ConnectionError("away")

        monkeypatch.setattr(departure, "hand_over", fail)
        leaving = Departure()

        leaving.begin()
        leaving._thread.join()

        mine.refresh_from_db()
        assert (mine.status, exits) == ("running", [0])

    def test_further_signals_begin_nothing(self, settings: Settings) -> None:
        settings.FLOWMAESTRO_DRAIN = timedelta(minutes=1)
        leaving = Departure()

        for _ in range(3):
            leaving.begin()

        assert sum(thread.name == "departure" for thread in threading.enumerate()) == 1
        leaving.end()

    def test_end_without_a_beginning_is_an_end(self) -> None:
        Departure().end()
