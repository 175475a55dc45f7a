from __future__ import annotations

import threading
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

import pytest

from executions import signals
from executions.attempts import Attempt, InFlight
from executions.core import RunStatus
from executions.services import cancel_execution
from handlers import Cancelled, HandlerError, NodeInput, NodeOutput, NodeTimeout
from tests.executions.runs import begin, reread, row, statuses
from tests.executions.scripted import Script
from tests.executions.workers import Workers, in_parallel
from tests.fakes import Messages
from workflows.core.masking import Mask
from workflows.ids import uuid7

RUN = UUID(int=1)


def new_attempt(*, seconds: float = 60) -> Attempt:
    return Attempt(RUN, "a", "loop[1]", seconds=seconds)


class TestProgress:
    @pytest.fixture
    def heard(self) -> Any:
        heard: list[tuple[float, str]] = []

        def receive(*, sender: Any, signal: Any, fraction: float, message: str, **_: Any) -> None:
            heard.append((fraction, message))

        signals.progress_told.connect(receive)
        yield heard
        signals.progress_told.disconnect(receive)

    def test_progress_is_told_a_few_times_a_second(self, heard: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """However often a handler tells it; the end is told at once, and once."""
        now = 100.0
        monkeypatch.setattr("executions.attempts.monotonic", lambda: now)
        attempt = new_attempt()

        for step in range(101):
            now = 100 + step * 0.01
            attempt.progress(step / 100, f"row {step}")
        attempt.progress(1, "once more")

        assert heard == [(0, "row 0"), (0.25, "row 25"), (0.5, "row 50"), (0.75, "row 75"), (1, "row 100")]

    @pytest.mark.parametrize(
        ("told", "fraction"), [(-1, 0), (7, 1), (float("nan"), 0), (float("inf"), 0), (0.5, 0.5), (1, 1)]
    )
    def test_fraction_is_between_0_and_1(self, heard: list[Any], told: float, fraction: float) -> None:
        new_attempt().progress(told, "")

        assert heard == [(fraction, "")]

    def test_message_hides_secrets_and_is_cut(self, heard: list[Any]) -> None:
        attempt = new_attempt()
        attempt.hide(Mask(["hunter2"]))

        attempt.progress(0, f"as hunter2{'x' * 500}")

        assert heard == [(0, f"as •••{'x' * 494}… (506 characters)")]

    def test_progress_that_nobody_wants_ends_the_node(self, heard: list[Any]) -> None:
        attempt = new_attempt()
        attempt.call_off()

        with pytest.raises(Cancelled):
            attempt.progress(0.5, "")

        assert heard == []


class TestTokens:
    @pytest.fixture
    def heard(self) -> Any:
        heard: list[dict[str, Any]] = []

        def receive(*, sender: Any, signal: Any, **told: Any) -> None:
            heard.append(told)

        signals.token_streamed.connect(receive)
        yield heard
        signals.token_streamed.disconnect(receive)

    def test_token_says_where_it_stands_in_its_stream(self, heard: list[dict[str, Any]]) -> None:
        """In code points; an empty one is none."""
        attempt = new_attempt()

        for text in ("Grüße", "", " \U0001f600", "!"):
            attempt.token(text)

        assert [(told["offset"], told["text"]) for told in heard] == [(0, "Grüße"), (5, " \U0001f600"), (7, "!")]
        assert {(told["execution_id"], told["stream"]) for told in heard} == {(RUN, "a/loop[1]")}

    def test_next_attempt_streams_from_the_beginning(self, heard: list[dict[str, Any]]) -> None:
        new_attempt().token("first")
        new_attempt().token("second")

        assert [told["offset"] for told in heard] == [0, 0]

    def test_stream_ends_with_the_run_that_wanted_it(self, heard: list[dict[str, Any]]) -> None:
        attempt = new_attempt()
        attempt.call_off()

        with pytest.raises(Cancelled):
            attempt.token("more")

        assert heard == []

    def test_token_that_may_begin_a_secret_waits_for_the_next(self, heard: list[dict[str, Any]]) -> None:
        """Offsets count what was told."""
        attempt = new_attempt()
        attempt.hide(Mask(["hunter2"]))

        for text in ("is it hun", "ter2 or hun", "t"):
            attempt.token(text)
        attempt.end_stream()

        assert [(told["offset"], told["text"]) for told in heard] == [(0, "is it "), (6, "••• or "), (13, "hunt")]

    def test_stream_that_was_called_off_ends_where_it_is(self, heard: list[dict[str, Any]]) -> None:
        attempt = new_attempt()
        attempt.hide(Mask(["hunter2"]))
        attempt.token("a hun")
        attempt.call_off()

        attempt.end_stream()

        assert [told["text"] for told in heard] == ["a "]


class TestLogs:
    def test_line_keeps_its_time_level_and_text(self) -> None:
        attempt = new_attempt()

        attempt.log("info", "so far")

        assert [line[1:] for line in attempt.logs] == [["info", "so far"]]

    def test_long_line_is_cut_and_says_so(self) -> None:
        attempt = new_attempt()

        for length in (4_000, 4_001):
            attempt.log("info", "x" * length)

        assert [line[2] for line in attempt.logs] == ["x" * 4_000, "x" * 4_000 + "… (4001 characters)"]

    def test_secret_is_hidden_before_a_line_is_cut(self) -> None:
        attempt = new_attempt()
        attempt.hide(Mask(["hunter2"]))

        attempt.log("info", f"{'x' * 3_997}hunter2")

        assert [line[2] for line in attempt.logs] == ["x" * 3_997 + "•••"]

    def test_lines_end_after_a_thousand_and_say_so(self) -> None:
        attempt = new_attempt()

        for place in range(1_500):
            attempt.log("info", str(place))

        assert [len(attempt.logs), attempt.logs[999][2]] == [1_001, "999"]
        assert attempt.logs[1_000][1:] == ["warning", "only the first 1000 lines are kept"]


class TestCallingOff:
    def test_attempt_that_is_wanted_goes_on(self) -> None:
        attempt = new_attempt()

        attempt.check_cancelled()

        assert (attempt.is_called_off, attempt.is_late) == (False, False)
        assert 59 < attempt.remaining() <= 60

    @pytest.mark.parametrize(
        ("seconds", "called_off", "error"),
        [
            (60, True, Cancelled),  # the run no longer wants it
            (-1, False, NodeTimeout),  # its time is up, and nobody has said so yet
            (-1, True, NodeTimeout),
        ],
    )
    def test_next_look_says_why_it_is_to_end(self, seconds: float, called_off: bool, error: type[HandlerError]) -> None:
        attempt = new_attempt(seconds=seconds)
        if called_off:
            attempt.call_off()

        with pytest.raises(HandlerError) as raised:
            attempt.check_cancelled()

        assert raised.type is error

    def test_stops_are_called_once_whatever_they_raise(self) -> None:
        """A handler that is just ending may have closed what it asked us to close."""
        attempt = new_attempt()
        called: list[str] = []

        def raising() -> None:
            called.append("raising")
            raise OSError("closed already")

        attempt.on_cancel(raising)
        attempt.on_cancel(partial(called.append, "second"))

        attempt.call_off()
        attempt.call_off()

        assert called == ["raising", "second"]

    def test_stop_that_comes_too_late_is_called_at_once(self) -> None:
        attempt = new_attempt()
        attempt.call_off()
        called: list[str] = []

        attempt.on_cancel(partial(called.append, "late"))

        assert called == ["late"]


def test_attempts_in_flight_are_known_by_row_and_fence() -> None:
    """Two attempts of one row may be under way: the one that was given up, and its successor."""
    flying, row_id = InFlight(), uuid7()
    first, second = new_attempt(), new_attempt()
    flying.add(row_id, 1, first)
    flying.add(row_id, 2, second)

    flying.remove(row_id, 1)
    flying.remove(row_id, 1)

    assert flying.all() == {(row_id, 2): second}


class Interrupted:
    """A handler in the middle of something, and what ends it."""

    def __init__(self) -> None:
        self.began, self.closed = threading.Event(), threading.Event()
        self.ended_after = 0.0  # seconds since it was to end

    def looks(self, node: NodeInput[Any], lent: Any) -> NodeOutput:
        """Looks now and then whether it is still wanted."""
        self.began.set()
        while True:
            lent.check_cancelled()
            threading.Event().wait(0.02)

    def blocks(self, node: NodeInput[Any], lent: Any) -> NodeOutput:
        """Waits for something that must be closed to end, and takes the end for an error of the other side."""
        lent.on_cancel(self.closed.set)
        self.began.set()
        assert self.closed.wait(10), "nobody closed it"
        raise ConnectionResetError("the socket was closed")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["looks", "blocks"])
class TestWithinARun:
    def test_cancel_ends_a_running_handler_within_a_second(
        self, workers: Workers, scripts: dict[str, Script], how: str
    ) -> None:
        handler = Interrupted()
        scripts["a"] = getattr(handler, how)
        run = begin("start -> a -> b", default="test.script")

        def cancel() -> float:
            assert handler.began.wait(10)
            cancel_execution(run.pk)
            return monotonic()

        def drive() -> float:
            workers.deliver_by(1)
            return monotonic()

        cancelled_at, ended_at = in_parallel([cancel, drive])

        assert ended_at - cancelled_at < 1
        assert statuses(run) == {"start": "completed", "a": "cancelled", "b": "cancelled"}
        assert (reread(run).status, row(run, "a").output) == (RunStatus.CANCELLED, None)

    def test_time_limit_ends_a_running_handler(self, messages: Messages, scripts: dict[str, Script], how: str) -> None:
        """As a failure of its own kind, whatever the interruption looked like to the handler."""
        scripts["a"] = getattr(Interrupted(), how)
        nodes = {"a": {"timeoutMs": 50, "retry": {"attempts": 1}}}
        run = begin("start -> a, a:error -> h", default="test.script", nodes=nodes)
        began = monotonic()

        messages.deliver_all()

        error = row(run, "a").error
        assert monotonic() - began < 2
        assert (error["code"], error["message"]) == ("timeout", "The attempt took longer than its time limit.")
        assert statuses(run) == {"start": "completed", "a": "failed", "h": "completed"}
