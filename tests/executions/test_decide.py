from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from executions import decide, driver, store
from executions.changes import Changes
from executions.core import CloseRun, EventType, NodeStatus, start
from executions.decide import Decision
from executions.models import Event, Execution
from handlers import HandlerError
from tests.executions.runs import begin
from tests.executions.scripted import Script, raises
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


def first_decision(run: Execution, *, in_line: bool = True) -> Decision:
    """What the first turn of a run comes to; nothing of it is written."""
    with transaction.atomic():
        taken = store.take(run.pk, wait=True)
        assert taken is not None
        step = start(taken.prepared.graph, entry=taken.entry, now=timezone.now())
        return decide.decide(taken, step, Changes(), in_line=in_line)


def born(decision: Decision) -> dict[str, NodeStatus]:
    return {row.node_id: row.status for row in decision.changes.born.values()}


class TestPureNodes:
    def test_they_are_run_until_only_effects_are_left(self, messages: Messages) -> None:
        decision = first_decision(begin("start -> p -> q -> e -> r", types={"start": "trigger", "e": "test.count"}))

        assert born(decision) == {"start": "completed", "p": "completed", "q": "completed", "e": "running"}
        assert [event.type for event in decision.changes.events] == ["node:started", "node:completed"] * 3 + [
            "node:started"
        ]

    def test_run_of_pure_nodes_is_closed_in_its_first_turn(self, messages: Messages) -> None:
        decision = first_decision(begin("start -> p -> q"))

        [close] = decision.step.commands
        assert isinstance(close, CloseRun)
        assert (close.outputs_of, decision.held, decision.ready) == (("q",), None, [])

    def test_what_exceeds_the_turn_is_handed_out_like_an_effect(
        self, messages: Messages, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lock is held meanwhile, and a cancel waits for it."""
        monkeypatch.setattr(decide, "BURST_FOR", -1)

        one, two = first_decision(begin("start -> p")), first_decision(begin("start -> p, in -> q"))

        assert (born(one), one.held is None) == ({"start": "running"}, False)
        assert (born(two), [ready.lane for ready in two.ready]) == (
            {"start": "ready", "in": "ready"},
            ["drive", "drive"],
        )


class TestEffects:
    def test_single_effect_is_held(self, messages: Messages) -> None:
        decision = first_decision(begin("start -> e", default="test.count"))

        assert decision.held is not None
        assert (decision.held.node_id, born(decision)["e"], decision.ready) == ("e", "running", [])
        assert decision.changes.events[-1].type == "node:started"

    @pytest.mark.parametrize(
        ("drawing", "in_line", "lanes"),
        [
            ("start -> e", False, ["drive", "io"]),  # the line gives way
            ("start -> e", True, ["drive", "cpu"]),  # its lane is served elsewhere
            ("start -> e, start -> f", True, ["drive", "io"]),  # there are several
        ],
    )
    def test_others_are_handed_out(
        self, messages: Messages, settings: Settings, drawing: str, in_line: bool, lanes: list[str]
    ) -> None:
        settings.FLOWMAESTRO_LANES = lanes

        decision = first_decision(begin(drawing, default="test.count"), in_line=in_line)

        ready = {node for node, status in born(decision).items() if status is NodeStatus.READY}
        assert (decision.held, decision.wave, len(decision.ready)) == (None, True, len(ready))
        assert ready == set(born(decision)) - {"start"}


@pytest.mark.parametrize(
    ("drawing", "more", "early"),
    [
        ("start -> a -> j, start -> b -> j", {}, ""),  # the join waits for both
        ("start -> a, start -> b", {}, ""),  # nothing follows
        ("start -> a -> x, start -> b", {"types": {"start": "trigger", "x": "test.echo"}}, "a"),  # x waits for a alone
        ("start -> a -> x, start -> b", {}, ""),  # and the worker of a goes on with it
        ("start -> a -> j, start -> b -> j, start -> c", {}, "a b"),  # j does not wait for c
        ("start -> a -> j, start -> b -> j, start -> c -> j, b -> x", {}, "b"),
        ("start -> a -> j, start -> b -> j, a:error -> h", {}, "a"),  # its handler waits for a alone
        ("start -> a -> j -> k, start -> b -> j", {}, ""),  # what comes later is not the wave's concern
        ("start -> a, start -> b, start -> c", {"settings": {"maxConcurrentNodes": 2}}, "a b"),  # c waits for a place
    ],
)
def test_node_folds_early_when_somebody_may_be_waiting_for_it(
    messages: Messages, drawing: str, more: Any, early: str
) -> None:
    """And only then: the rest of a wave is folded at once, by the body of its chord."""
    decision = first_decision(begin(drawing, default="test.count", **more))

    nodes = {row.id: row.node_id for row in decision.changes.born.values()}
    assert sorted(nodes[ready.id] for ready in decision.ready if ready.folds_early) == early.split()
    assert decision.wave


def test_what_joins_nodes_already_out_is_no_wave(messages: Messages) -> None:
    """Their chord has another end."""
    begin("start -> a, start -> b -> c, b -> d", default="test.count")
    messages.deliver(messages.waiting.pop(0))
    b = next(message for message in messages.waiting if message.args[1] == "drive")
    messages.waiting.clear()

    messages.deliver(b)

    assert [len(message.args[0]) for message in messages.waiting] == [1, 1]
    assert len(messages._open) == 1


@pytest.mark.parametrize(
    ("config", "total"),
    [
        ({"loopType": "count", "count": 3}, 3),
        ({"loopType": "forEach", "items": []}, 0),
        ({"loopType": "doWhile", "condition": "false"}, None),  # nobody knows
        ({"loopType": "count", "count": "{{inputs.nothing}}"}, None),  # fails when it opens
    ],
)
def test_start_of_a_container_tells_how_often_its_body_will_run(
    messages: Messages, config: dict[str, Any], total: int | None
) -> None:
    """Who watches can say how far it is. A node that repeats nothing has no total."""
    decision = first_decision(begin("start -> loop, loop:body -> a", nodes={"loop": {"config": config}}))

    begun = [event for event in decision.changes.events if event.type == EventType.NODE_STARTED]
    told = {str(event.node_id): event.data["total"] for event in begun}
    assert told.pop("loop") == total
    assert set(told.values()) == {None}


@pytest.mark.parametrize(("node", "attempts"), [({}, 3), ({"retry": {"attempts": 7}}, 7)])
def test_retry_tells_how_many_attempts_there_may_be(
    messages: Messages, scripts: dict[str, Script], node: dict[str, Any], attempts: int
) -> None:
    """By the node's own policy, or that of its effect."""
    scripts["a"] = raises(HandlerError("busy", retryable=True))
    run = begin("start -> a", types={"start": "trigger", "a": "test.script"}, nodes={"a": node})

    driver.drive(run.pk)

    first = Event.objects.filter(execution=run, type=EventType.NODE_RETRYING).order_by("seq")[0]
    assert (first.data["attempt"], first.data["attempts"]) == (1, attempts)


def test_burst_of_iterations_tells_once_how_many_are_over(messages: Messages) -> None:
    """Of what is written together, a watcher sees the end."""
    run = begin("start -> loop, loop:body -> a", nodes={"loop": {"config": {"count": 50}}})

    told = [event for event in first_decision(run).changes.events if event.type == EventType.NODE_PROGRESS]

    assert [event.data["done"] for event in told] == [50]
