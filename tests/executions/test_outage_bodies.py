"""The connection dies anywhere in a run of bodies, attempts and children: no effect is repeated for it."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from executions import family, hotpath, outage
from executions.core import RunStatus
from executions.models import Execution
from handlers import HandlerError, NodeOutput
from tests.executions.accidents import CutAt, fall_due, settle
from tests.executions.runs import begin, numbers, outputs, publish, reread, row
from tests.executions.scripted import Script, in_turn, raises
from tests.fakes import Messages
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENTS = (
    "lock",
    "inbox",
    "news",
    "save",
    "claim",
    "record",
    "record_and_go_on",
    "outputs",
    "results",
    "items",
    "waiting",
    "is_out",
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "_FIRST_WAIT", 0.001)


def cut_everywhere(
    messages: Messages, monkeypatch: pytest.MonkeyPatch, start: Any, check: Any, *, after: bool, least: int
) -> None:
    """Play the run that *start* gives, each time with the connection cut one statement later, and *check* its end."""
    for moment in count(1):
        run = start()
        cut = CutAt(moment, after=after)
        with monkeypatch.context() as patched:
            for name in STATEMENTS:
                patched.setattr(hotpath, name, cut.around(getattr(hotpath, name)))
            patched.setattr(family, "_version", cut.around(family._version))
            messages.deliver_all()
            fall_due(messages, run)
        settle(messages, run)

        assert reread(run).status == RunStatus.COMPLETED, f"cut at statement {moment}: {reread(run).error}"
        assert reread(run).drive_failures == 0, f"cut at statement {moment}"
        assert numbers(run) == list(range(1, len(numbers(run)) + 1))
        check(run, f"cut at statement {moment}")
        if cut.left > 0:
            break
    assert moment > least


@pytest.mark.parametrize("after", [False, True])
class TestLostConnection:
    def test_in_a_loop(self, messages: Messages, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
        nodes = {
            "loop": {"config": {"loopType": "forEach", "arrayPath": "{{start.rows}}"}},
            "a": {"config": {"value": "{{loop.item}}"}},
            "b": {"config": {"value": "{{loop.results}}"}},
        }

        def start() -> Execution:
            types = {"start": "trigger", "loop": "loop", "b": "test.echo"}
            return begin(
                "start -> loop -> r -> z, loop:body -> a -> b",
                default="test.count",
                types={**types, "r": "response"},
                nodes=nodes,
                inputs={"rows": ["p", "q"]},
            )

        def check(run: Execution, when: str) -> None:
            assert counted(run.pk) == {"a": 2, "z": 1}, when
            assert [result["a"]["result"] for result in row(run, "loop").output["results"]] == ["p", "q"]
            assert reread(run).response == {"status": 200, "body": None}, when

        cut_everywhere(messages, monkeypatch, start, check, after=after, least=6)

    def test_in_a_parallel(self, messages: Messages, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
        nodes = {
            "par": {"config": {"mode": "collection", "collection": "{{start.rows}}", "maxConcurrency": 2}},
            "a": {"config": {"value": "{{parallel.item}}"}},
        }

        def start() -> Execution:
            drawing = "start -> par -> z, par:body -> a -> b"
            return begin(drawing, default="test.count", nodes=nodes, inputs={"rows": ["p", "q", "r"]})

        def check(run: Execution, when: str) -> None:
            assert counted(run.pk) == {"a": 3, "b": 3, "z": 1}, when
            assert [result["a"]["result"] for result in row(run, "par").output["results"]] == ["p", "q", "r"]

        cut_everywhere(messages, monkeypatch, start, check, after=after, least=15)

    def test_around_a_child(self, messages: Messages, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
        child = publish("start -> b", default="test.count")

        def start() -> Execution:
            return begin(
                "start -> a -> sub -> z",
                default="test.count",
                types={"start": "trigger", "sub": "subWorkflow"},
                nodes={"sub": {"config": {"workflow": str(child.workflow_id)}}},
                workspace=child.workflow.workspace,
            )

        def check(run: Execution, when: str) -> None:
            [below] = Execution.objects.filter(parent=run)
            assert (counted(run.pk), counted(below.pk)) == ({"a": 1, "z": 1}, {"b": 1}), when
            assert outputs(run)["sub"] == {"b": {"result": "b"}}

        cut_everywhere(messages, monkeypatch, start, check, after=after, least=8)

    def test_between_attempts(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch, scripts: dict[str, Script], after: bool
    ) -> None:
        tried: list[int] = []

        def attempt(node: Any, lent: Any) -> NodeOutput:
            tried.append(node.attempt)
            return NodeOutput(data=1)

        scripts["a"] = in_turn(raises(HandlerError("not yet", retryable=True)), attempt)

        def start() -> Execution:
            tried.clear()
            return begin("start -> a -> b", default="test.script")

        def check(run: Execution, when: str) -> None:
            assert (tried, row(run, "a").attempt, len(row(run, "a").history)) == ([2], 2, 1), when

        cut_everywhere(messages, monkeypatch, start, check, after=after, least=6)
