"""What an attempt came to, by what it raised and how many are left."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from executions import report
from executions.attempts import Attempt
from executions.core import Failed, NodeStatus, Retrying, Succeeded
from executions.plans import prepare
from executions.report import Ran, Report, Visit
from handlers import Cancelled, ConfigError, HandlerError, NodeOutput, NodeTimeout, ProviderError, RateLimited
from handlers.errors import InputError, Unreachable
from tests.executions import scripted
from tests.graphs import draw
from workflows.core import EvaluationError, build_plan, parse_definition
from workflows.ids import uuid7

assert scripted  # its node types are in the catalogue


@pytest.fixture
def attempts_wait() -> None:
    """As long as they do."""


BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
BUSY = HandlerError("busy", code="busy", retryable=True)


def report_of(node: Any = None, *, way: str = "test.script", drawing: str = "start -> a", **visit: Any) -> Report:
    """Of an attempt of node a; all before it have failed, unless its history says otherwise."""
    payload = draw(drawing, types={"start": "trigger", "a": way, "h": "test.echo"}, nodes={"a": node or {}})
    prepared = prepare(build_plan(parse_definition(payload)), uuid7())
    told: dict[str, Any] = {
        "row_id": uuid7(),
        "execution_id": uuid7(),
        "workspace_id": uuid7(),
        "node_id": "a",
        "history": history_of(visit.get("number", 1) - 1),
        **visit,
    }
    attempt = Attempt(told["execution_id"], "a", "", seconds=60)
    return Report(prepared, Visit(**told), attempt, BEGAN, announced=True)


def history_of(failed: int) -> str | None:
    return json.dumps([{"attempt": attempt} for attempt in range(1, failed + 1)]) if failed else None


def guarded(reporting: Report, error: BaseException) -> Ran:
    def action() -> Any:
        raise error

    ran = reporting.guarded(action)
    assert isinstance(ran, Ran)
    return ran


class TestClassification:
    @pytest.mark.parametrize(
        "error",
        [
            BUSY,
            RateLimited(),
            Unreachable(),
            NodeTimeout(),
            ProviderError("503", status=503, retryable=True),
        ],
    )
    def test_failure_that_may_pass_is_tried_again(self, error: HandlerError) -> None:
        ran = guarded(report_of(), error)

        assert isinstance(ran.outcome, Retrying)
        assert (ran.recorded.status, ran.recorded.next_attempt) == (NodeStatus.READY, 2)

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (HandlerError("no"), "node_failed"),
            (ConfigError(), "invalid_config"),
            (InputError(), "invalid_input"),
            (ProviderError("404", status=404), "provider_error"),
            (Cancelled(), "cancelled"),
            (EvaluationError("no such name", code="missing_env"), "missing_env"),
            (KeyError("a bug"), "internal_error"),
        ],
    )
    def test_failure_that_stays_is_not(self, error: Exception, code: str) -> None:
        ran = guarded(report_of({"retry": {"attempts": 10}}), error)

        assert isinstance(ran.outcome, Failed)
        assert (ran.outcome.error["code"], ran.recorded.status) == (code, NodeStatus.FAILED)


class TestAttemptsLeft:
    @pytest.mark.parametrize(
        ("node", "number", "failed", "is_tried_again"),
        [
            ({}, 1, 0, True),
            ({}, 2, 1, True),
            ({}, 3, 2, False),  # three in all
            ({}, 4, 2, False),
            ({}, 3, 1, True),  # a lost worker is no answer of the other side, nor is one that was stopped
            ({}, 9, 1, True),
            ({"retry": {"attempts": 1}}, 1, 0, False),
            ({"retry": {"attempts": 5}}, 4, 3, True),
            ({"retry": {"attempts": 5}}, 5, 4, False),
        ],
    )
    def test_attempts_are_counted_without_those_that_came_to_nothing(
        self, node: Any, number: int, failed: int, is_tried_again: bool
    ) -> None:
        ran = guarded(report_of(node, number=number, history=history_of(failed)), BUSY)

        assert isinstance(ran.outcome, Retrying) is is_tried_again

    @pytest.mark.parametrize(("node", "is_tried_again"), [({}, False), ({"retry": {"attempts": 2}}, True)])
    def test_pure_node_is_tried_again_only_when_it_says_so(self, node: Any, is_tried_again: bool) -> None:
        ran = guarded(report_of(node, way="test.pureScript"), BUSY)

        assert isinstance(ran.outcome, Retrying) is is_tried_again

    @pytest.mark.parametrize(
        ("way", "config"),
        [
            ("loop", {"count": 1}),
            ("parallel", {"mode": "count", "count": 1}),
            ("subWorkflow", {"workflow": "0190a0b1-c2d3-7e4f-8a9b-0c1d2e3f4a5b"}),
        ],
    )
    def test_containers_and_sub_workflows_are_never(self, way: str, config: Any) -> None:
        ran = guarded(report_of({"config": config, "retry": {"attempts": 5}}, way=way), BUSY)

        assert isinstance(ran.outcome, Failed)


class TestPostponed:
    @pytest.mark.parametrize(
        ("jitter", "number", "retry_after", "seconds"),
        [(0.5, 1, None, 0.5), (0.5, 2, None, 1.0), (0.0, 2, None, 0.0), (0.5, 1, 20.0, 20.0)],
    )
    def test_next_attempt_is_due_after_its_backoff(
        self, monkeypatch: pytest.MonkeyPatch, jitter: float, number: int, retry_after: float | None, seconds: float
    ) -> None:
        monkeypatch.setattr(report.random, "random", lambda: jitter)
        error = HandlerError("busy", retryable=True, retry_after=retry_after)

        ran = guarded(report_of(number=number), error)

        assert isinstance(ran.outcome, Retrying)
        assert ran.outcome.due_at == ran.recorded.due_at == ran.recorded.ended_at + timedelta(seconds=seconds)

    def test_row_and_run_are_told_the_same(self) -> None:
        error = HandlerError("busy", code="busy", retryable=True, details={1: "x"})

        ran = guarded(report_of(number=2), error)

        assert isinstance(ran.outcome, Retrying)
        assert json.loads(ran.recorded.error or "") == ran.outcome.error
        assert ran.outcome.error == {
            "message": "busy",
            "code": "busy",
            "node_id": "a",
            "attempts": 2,
            "at": ran.recorded.ended_at.isoformat(),
            "details": {"1": "x"},
        }

    def test_attempt_joins_those_before_it(self) -> None:
        before = [{"attempt": 1, "started_at": "…", "ended_at": "…", "error": {}}]

        ran = guarded(report_of(number=2, history=json.dumps(before)), BUSY)

        [first, second] = json.loads(ran.recorded.history or "")
        assert first == before[0]
        assert (second["attempt"], second["started_at"]) == (2, BEGAN.isoformat())
        assert (second["ended_at"], second["error"]["message"]) == (ran.recorded.ended_at.isoformat(), "busy")

    @pytest.mark.parametrize("error", [HandlerError("no"), None])
    def test_history_stays_with_the_last_outcome(self, error: HandlerError | None) -> None:
        reporting = report_of(number=2, history="[1]")

        ran = reporting.succeeded(NodeOutput(data=1)) if error is None else guarded(reporting, error)

        assert ran.recorded.history == "[1]"


class TestAnswerOfAFailure:
    """A 503 is worth another attempt, yet once there is none left it is an answer like any other."""

    ERROR = HandlerError("503", retryable=True, output=NodeOutput(data={"status": 503}))

    def test_it_is_tried_again_while_attempts_are_left(self) -> None:
        ran = guarded(report_of(number=2), self.ERROR)

        assert (type(ran.outcome), ran.recorded.output) == (Retrying, None)

    def test_after_the_last_it_is_the_output(self) -> None:
        ran = guarded(report_of(number=3), self.ERROR)

        assert (type(ran.outcome), ran.recorded.status) == (Succeeded, NodeStatus.COMPLETED)
        assert (ran.recorded.output, ran.recorded.error) == ('{"status":503}', None)

    def test_attempt_that_was_called_off_has_none(self) -> None:
        reporting = report_of(number=3)
        reporting.attempt.call_off()

        assert isinstance(guarded(reporting, self.ERROR).outcome, Failed)

    def test_output_that_cannot_be_stored_is_a_failure(self) -> None:
        """And not another attempt: what it did has been done."""
        error = HandlerError("503", retryable=True, output=NodeOutput(data=float("nan")))

        ran = guarded(report_of(number=3), error)

        assert isinstance(ran.outcome, Failed)
        assert ran.outcome.error["code"] == "invalid_output"


@pytest.mark.parametrize(
    ("drawing", "node", "outcome", "status", "output"),
    [
        ("start -> a", {}, Failed, NodeStatus.FAILED, None),
        ("start -> a, a:error -> h", {}, Failed, NodeStatus.FAILED, {"error"}),
        ("start -> a", {"onError": {"strategy": "continue"}}, Succeeded, NodeStatus.COMPLETED, {"error"}),
        ("start -> loop, loop:body -> a, a:error -> loop", {}, Failed, NodeStatus.FAILED, {"error"}),
    ],
)
def test_failure_after_the_last_attempt_is_judged_by_the_plan(
    drawing: str, node: Any, outcome: type[Any], status: NodeStatus, output: Any
) -> None:
    ran = guarded(report_of(node, drawing=drawing, number=3), BUSY)

    stored = None if ran.recorded.output is None else json.loads(ran.recorded.output).keys()
    assert (type(ran.outcome), ran.recorded.status, stored) == (outcome, status, output)
    assert ran.recorded.handled is (output is not None)
