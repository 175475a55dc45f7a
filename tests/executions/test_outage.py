from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import django.db
import psycopg
import pytest
from django.db import connection, transaction
from pytest_django.fixtures import Settings

from executions import driver, hotpath, outage
from executions.core import RunStatus
from executions.models import Event, NodeRun
from executions.outage import retried
from tests.executions.accidents import CutAt, kill_connection, settle
from tests.executions.runs import begin, numbers, reread, statuses, story
from tests.fakes import Messages
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENTS = ("lock", "inbox", "news", "save", "claim", "record", "record_and_go_on", "outputs")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "_FIRST_WAIT", 0.001)


class TestLostConnection:
    @pytest.mark.parametrize("after", [False, True])
    def test_connection_may_die_at_any_statement(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch, after: bool
    ) -> None:
        """No outcome is lost, none is recorded twice, and no effect is repeated, since its worker lives."""
        types = {"start": "trigger", "p": "test.echo", "q": "test.echo"}
        for moment in count(1):
            run = begin("start -> a -> p -> b, start -> c -> d -> q -> e", default="test.count", types=types)
            cut = CutAt(moment, after=after)
            with monkeypatch.context() as patched:
                for name in STATEMENTS:
                    patched.setattr(hotpath, name, cut.around(getattr(hotpath, name)))
                messages.deliver_all()
            if cut.left > 0:
                break
            settle(messages, run)

            ended = [what for what in story(run) if what.startswith("completed")]
            assert reread(run).status == RunStatus.COMPLETED, f"cut at statement {moment}"
            assert counted(run.pk) == dict.fromkeys("abcde", 1), f"cut at statement {moment}"
            assert sorted(ended) == [f"completed {node}" for node in ("a", "b", "c", "d", "e", "p", "q", "start")]
            assert numbers(run) == list(range(1, len(numbers(run)) + 1))
            assert reread(run).drive_failures == 0
        assert moment > 15

    def test_outcome_whose_answer_was_lost_is_found_and_goes_on(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        """It is looked for before it is written again: no sweep has to find the run."""
        settings.FLOWMAESTRO_LANES = ["drive"]  # every effect is a message, and no chord
        run = begin("start -> a -> b", default="test.count")
        monkeypatch.setattr(hotpath, "record", CutAt(1, after=True).around(hotpath.record))

        messages.deliver_all()

        assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, {"a": 1, "b": 1})

    @pytest.mark.parametrize("commits", [False, True])
    def test_connection_may_die_at_the_commit_of_a_turn(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch, commits: bool
    ) -> None:
        """Whether or not it took effect: the turn is taken again, and finds out by what it reads."""
        run = begin("start -> a -> b", default="test.count")
        real, moments = connection._commit, iter([1])

        def commit() -> None:
            for _ in moments:
                if commits:
                    real()
                kill_connection()
                raise django.db.OperationalError("the connection was lost at the commit")
            real()

        monkeypatch.setattr(connection, "_commit", commit)

        messages.deliver_all()

        settle(messages, run)
        assert reread(run).status == RunStatus.COMPLETED
        assert counted(run.pk) == {"a": 1, "b": 1}
        assert story(run).count("completed start") == 1

    def test_outcome_waits_in_the_task_while_the_database_is_away(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its message is acknowledged already: to fail would lose what the node has just done."""
        run = begin("start -> a", default="test.count")
        tries = iter(range(5))
        real = connection.get_new_connection

        def connect(parameters: Any) -> Any:
            for _ in tries:
                raise psycopg.OperationalError("connection refused")
            return real(parameters)

        saves = CutAt(2, after=False)
        monkeypatch.setattr(hotpath, "save", saves.around(hotpath.save))
        monkeypatch.setattr(connection, "get_new_connection", connect)

        messages.deliver_all()

        assert (reread(run).status, counted(run.pk)) == (RunStatus.COMPLETED, {"a": 1})
        assert next(tries, None) is None


class TestRetried:
    @pytest.mark.parametrize(
        "error",
        [django.db.OperationalError, django.db.InterfaceError, psycopg.OperationalError, psycopg.InterfaceError],
    )
    def test_lost_database_is_tried_again(self, error: type[Exception]) -> None:
        tries = iter([error("away"), error("away")])

        def write() -> str:
            for lost in tries:
                raise lost
            return "written"

        assert retried(write) == "written"

    def test_other_errors_are_the_callers(self) -> None:
        def write() -> None:
            raise django.db.DataError("no such text")

        with pytest.raises(django.db.DataError):
            retried(write)

    def test_within_a_transaction_it_is_the_transaction_that_is_tried_again(self) -> None:
        calls = []

        def write() -> None:
            calls.append(1)
            raise psycopg.OperationalError("away")

        with transaction.atomic(), pytest.raises(psycopg.OperationalError):
            retried(write)

        assert calls == [1]

    def test_it_gives_up_when_the_lease_has_long_run_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outage, "_LONGEST", timedelta(seconds=0.05))

        def write() -> None:
            raise psycopg.OperationalError("away")

        with pytest.raises(psycopg.OperationalError):
            retried(write)

    @pytest.mark.parametrize(
        ("found", "result", "writes"),
        [
            (True, True, 1),  # the first try took effect
            ((True, False), (True, False), 1),
            (False, "written", 2),
            ((False, False), "written", 2),
        ],
    )
    def test_write_is_made_again_only_where_it_took_no_effect(self, found: Any, result: Any, writes: int) -> None:
        calls = []

        def write() -> Any:
            calls.append(1)
            if len(calls) == 1:
                raise psycopg.OperationalError("the answer was lost")
            return "written"

        assert (retried(write, check=lambda: found), len(calls)) == (result, writes)

    def test_look_itself_may_fail(self) -> None:
        looks = iter([psycopg.OperationalError("still away"), None])

        def check() -> bool:
            if (error := next(looks)) is not None:
                raise error
            return True

        def write() -> bool:
            raise psycopg.OperationalError("away")

        assert retried(write, check=check)


def test_outage_is_no_failure_of_the_run(messages: Messages, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often: it is drives that raise for what the run is that count towards its quarantine."""
    run = begin("start -> a", default="test.count")
    real, tries = hotpath.lock, iter(range(10))

    def lock(*args: Any, **named: Any) -> Any:
        for _ in tries:
            raise psycopg.OperationalError("away")
        return real(*args, **named)

    monkeypatch.setattr(hotpath, "lock", lock)

    driver.drive(run.pk)

    assert (reread(run).status, reread(run).drive_failures) == (RunStatus.COMPLETED, 0)
    assert statuses(run) == {"start": "completed", "a": "completed"}
    assert NodeRun.objects.filter(execution=run, attempt=1).count() == 2
    assert Event.objects.filter(execution=run).count() == 6
