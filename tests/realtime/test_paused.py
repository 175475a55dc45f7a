"""A run that waits, as those are told who come while it does: by its page, its socket, its stream."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

import tests.executions.scripted  # noqa: F401 -- with it there is a test.ask
from executions import driver, tickets
from executions.leases import lease
from executions.models import Execution, ExecutionState, Waitpoint
from executions.services import cancel_execution, pause_execution
from executions.waitpoints import services
from handlers import PauseKind
from realtime import snapshot
from realtime.publisher import publisher
from tests.executions.runs import begin, reread
from tests.fakes import Messages
from tests.realtime.sockets import opened
from tests.told import read_back

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3_600_000


@pytest.fixture(autouse=True)
def nothing_is_left(redis_client: redis.Redis) -> Iterator[None]:
    """The lease that the engine took ends with its test, and what it published is away."""
    yield
    lease.release()
    publisher.flush()


@pytest.fixture
def ask(messages: Messages) -> Callable[..., Execution]:
    """Begins a run, and lets it come as far as it can."""

    def begin_and_wait(drawing: str = "start -> h -> b", **more: Any) -> Execution:
        types = {"start": "trigger", "h": "test.ask", "h2": "test.ask"}
        run = begin(drawing, types=types, **more)
        messages.deliver_all()
        return reread(run)

    return begin_and_wait


def answer(run: Execution, messages: Messages) -> None:
    waitpoint = Waitpoint.objects.get(execution=run, status="open")
    services.answer(waitpoint.pk, "yes", by="somebody", kinds=[PauseKind.HUMAN])
    messages.deliver_all()


def hours_ago(run: Execution, hours: int) -> None:
    """It has been paused for so long."""
    since, state = timezone.now() - timedelta(hours=hours), ExecutionState.objects.get(pk=run.pk)
    state.state["paused_at"] = since.isoformat()
    state.save(update_fields=["state"])
    Execution.objects.filter(pk=run.pk).update(started_at=since - timedelta(seconds=2))


class TestPage:
    def page(self, run: Execution) -> str:
        token = tickets.issue(run.pk, run.workspace_id)
        response: HttpResponse = Client().get(f"/executions/{run.pk}/live", {"token": token})
        return response.content.decode()

    def statuses(self, html: str) -> dict[str, str]:
        return dict(re.findall(r'class="card" data-node="([^"]+)" data-status="([^"]+)"', html))

    def data(self, html: str) -> Any:
        return json.loads(re.search(r'<script id="run" type="application/json">(.*?)</script>', html, re.DOTALL)[1])

    def fact(self, html: str, name: str) -> str:
        return re.search(rf'id="{name}">(.*?)</', html)[1]

    def test_paused_run_says_why(self, ask: Callable[..., Execution]) -> None:
        html = self.page(ask("start -> h -> b, start -> h2"))

        assert 'id="status" data-status="paused"' in html
        assert self.fact(html, "because") == "waits for h and h2"
        assert self.statuses(html) == {"start": "completed", "h": "waiting", "h2": "waiting", "b": "pending"}
        assert [wait["node_id"] for wait in self.data(html)["waitpoints"]] == ["h", "h2"]

    def test_clock_of_a_paused_run_stands_still(self, ask: Callable[..., Execution]) -> None:
        """What it was paused is told beside it."""
        run = ask()
        hours_ago(run, 3)

        html = self.page(run)

        assert (self.fact(html, "elapsed"), self.fact(html, "paused")) == ("2.0 s", "3h 00m")

    def test_run_that_was_paused_says_for_how_long_in_all(
        self, ask: Callable[..., Execution], messages: Messages
    ) -> None:
        """Also when its end was that of its pause."""
        over, cancelled = ask(), ask()
        for run in (over, cancelled):
            hours_ago(run, 3)
        answer(over, messages)
        cancel_execution(cancelled.pk)

        assert [self.fact(self.page(run), "paused") for run in (over, cancelled)] == ["3h 00m", "3h 00m"]

    def test_run_that_never_paused_says_nothing_of_it(self, messages: Messages) -> None:
        run = begin("start -> a")
        messages.deliver_all()

        html = self.page(run)

        assert (self.fact(html, "because"), self.fact(html, "paused")) == ("", "")
        assert "<div hidden><dt>Paused</dt>" in html

    def test_run_that_is_held_says_so(self, ask: Callable[..., Execution]) -> None:
        run = ask()
        pause_execution(run.pk)

        assert self.fact(self.page(run), "because") == "on request: nothing new starts"

    def test_container_of_a_paused_run_waits_for_what_is_in_it(self, ask: Callable[..., Execution]) -> None:
        """It does not turn: nothing of the run runs."""
        html = self.page(ask("start -> loop, loop:body -> h"))

        assert self.statuses(html) == {"start": "completed", "loop": "waiting", "h": "waiting"}

    def test_node_of_which_older_visits_wait_says_so(self, ask: Callable[..., Execution], messages: Messages) -> None:
        """And how many do."""
        nodes = {"par": {"config": {"mode": "count", "count": 3}}}
        run = ask("start -> par, par:body -> h", nodes=nodes)
        newest = Waitpoint.objects.get(execution=run, scope="par[2]")
        services.answer(newest.pk, "yes", by="somebody", kinds=[PauseKind.HUMAN])
        messages.deliver_all()

        html = self.page(run)

        assert self.statuses(html)["h"] == "waiting"
        assert '<tspan class="waits" dx="4">2‖</tspan><tspan class="good" dx="4">1✓</tspan>' in html

    def test_pause_that_expired_has_taken_its_timeout_only(
        self, ask: Callable[..., Execution], messages: Messages
    ) -> None:
        run = ask("start -> h -> ok, h:timeout -> late", nodes={"h": {"config": {"ms": HOUR}}})
        Waitpoint.objects.update(due_at=timezone.now())
        driver.drive(run.pk)
        messages.deliver_all()

        html = self.page(run)

        looks = re.findall(r'class="line" data-look="([^"]+)"', html)
        taken = {edge[1]: look for edge, look in zip(self.data(html)["edges"], looks, strict=True)}
        assert taken == {"h": "taken", "ok": "dead", "late": "taken"}
        assert self.statuses(html) == {"start": "completed", "h": "completed", "ok": "skipped", "late": "completed"}
        assert html.count(">expired<") == 2  # on its card, and in the list

    @pytest.mark.parametrize("number", [1, 3])
    def test_page_costs_one_query_more_however_much_waits(
        self, ask: Callable[..., Execution], django_assert_num_queries: Any, number: int
    ) -> None:
        run = ask(", ".join(f"start -> {node}" for node in ("h", "h2", "a")[:number]))
        self.page(run)

        with django_assert_num_queries(7):
            self.page(run)


class TestSocket:
    async def test_who_comes_to_a_paused_run_is_told_where_it_stands_and_then_what_happens(
        self, messages: Messages
    ) -> None:
        """Nothing in between: it holds nothing, so nothing is told."""
        run = await sync_to_async(self._ask)(messages)

        async with opened(run) as socket:  # type: ignore[arg-type]  # as a run that is told by hand
            first = await socket.read()
            is_quiet = await socket.receive_nothing(timeout=0.3)
            await sync_to_async(answer)(run, messages)
            told = await sync_to_async(read_back)(run.pk, after=first["seq"])
            heard = await socket.take(len(told))

        assert (first["status"], first["pause"]["reason"], is_quiet) == ("paused", "waiting", True)
        assert [(wait["node_id"], wait["prompt"]) for wait in first["waitpoints"]] == [("h", "Well?")]
        assert heard == told
        assert (told[0]["type"], told[-1]["type"]) == ("execution:resumed", "execution:completed")

    def _ask(self, messages: Messages) -> Execution:
        run = begin("start -> h -> b", types={"start": "trigger", "h": "test.ask"})
        messages.deliver_all()
        return reread(run)


class TestSnapshot:
    def test_it_is_of_one_run_only(self, ask: Callable[..., Execution]) -> None:
        """Others wait, too."""
        one, other = ask(), ask()

        taken = snapshot.take(one.pk)

        assert taken is not None
        [wait] = taken.frame({})["waitpoints"]
        assert wait["id"] == str(Waitpoint.objects.get(execution=one).pk)
        assert wait["id"] != str(Waitpoint.objects.get(execution=other).pk)

    def test_run_that_nobody_has_looked_at_yet_is_not_paused(self, db: None) -> None:
        taken = snapshot.take(begin("start -> a").pk)

        assert taken is not None
        assert taken.pauses.as_json() == {"pause": None, "paused_ms": 0, "waitpoints": []}
