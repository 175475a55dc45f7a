from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from executions import frames, signals
from executions.core import EventType, RunEvent
from executions.services import cancel_execution
from handlers import HandlerError, NodeOutput, SelectPort, Usage
from tests.executions.accidents import recover
from tests.executions.runs import begin
from tests.executions.scripted import Script, answers, in_turn, raises
from tests.fakes import Messages
from tests.told import read_back

RUN = UUID(int=1)
AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


@pytest.fixture
def live() -> Iterator[list[dict[str, Any]]]:
    """Frames as they are pushed, in the order in which they were sent."""
    heard: list[dict[str, Any]] = []

    def receive(*, frames: Any, **_: Any) -> None:
        heard.extend(frame.value() for frame in frames)

    signals.events_recorded.connect(receive)
    yield heard
    signals.events_recorded.disconnect(receive)


WIDE = "w" * 65_535  # and two quotes: one character too many for a frame

OUTPUTS: dict[str, Any] = {
    "an object": {"result": [1, 2.5, None]},
    "null": None,
    "the widest that a frame carries": "w" * 65_534,
    "one too wide": WIDE,
    "wide by its bytes only": "ü" * 65_534,
    "one that is a blob": "w" * 300_000,
    "text of any characters": {"a\0b": "\ud83d \U0001f600"},
}


@pytest.mark.django_db(transaction=True)
class TestLive:
    """The same frame whether it is pushed when it happens or read back years later."""

    @pytest.mark.parametrize("kind", ["test.pureScript", "test.script"])
    @pytest.mark.parametrize("beside", ["", ", start -> other"])
    @pytest.mark.parametrize("name", OUTPUTS)
    def test_output_is_told_as_it_is_read_back(
        self, messages: Messages, scripts: dict[str, Script], live: Any, kind: str, beside: str, name: str
    ) -> None:
        """Of a pure node, of the node in hand, and (beside another) of one that was recorded by somebody else."""
        scripts["a"] = answers(OUTPUTS[name])
        run = begin(f"start -> a{beside}", types={"start": "trigger", "a": kind}, default="test.script")

        messages.deliver_all()

        assert live == read_back(run.pk)
        [told] = [frame["data"] for frame in live if frame["type"] == "node:completed" and frame["node_id"] == "a"]
        is_wide = name in ("one too wide", "one that is a blob")
        shown = {"output_omitted": len(OUTPUTS[name]) + 2} if is_wide else {"output": OUTPUTS[name]}
        assert told == {**told, **shown}
        assert (told.keys() & {"output", "output_omitted"}) == shown.keys()

    def test_every_kind_of_event_is_told_as_it_is_read_back(
        self, messages: Messages, scripts: dict[str, Script], live: Any
    ) -> None:
        usage = Usage(model="m\0", provider="p", prompt_tokens=1, completion_tokens=2)
        scripts["a"] = lambda node, lent: NodeOutput(data={}, signal=SelectPort(port="left"), usage=usage)
        scripts["b"] = raises(HandlerError("handled \0", details={1: ("t",)}))
        scripts["c"] = raises(HandlerError("not handled \ud83d"))
        drawing = "start -> a -> b -> x, b:error -> c"
        scripts["q"] = in_turn(raises(HandlerError("not yet \0", retryable=True)), answers(1))
        completed = begin(
            "start -> a -> p, start -> q, start -> loop, loop:body -> r",
            default="test.script",
            types={"start": "trigger", "p": "test.echo", "r": "test.echo", "loop": "loop"},
        )
        failed = begin(drawing, default="test.script", nodes={"x": {"disabled": True}})
        cancelled = begin(drawing, default="test.script")
        cancel_execution(cancelled.pk, reason="enough \0")
        config = {"h": {"config": {"kind": "timer", "ms": 3_600_000, "prompt": "{{inputs.p}}"}}}
        types = {"start": "trigger", "h": "test.ask"}
        paused = begin("start -> h", types=types, nodes=config, inputs={"p": "wait \0 \ud83d"})
        types |= {"par": "parallel", "if": "conditional", "bad": "test.fail"}
        nodes = {"if": {"config": {"expression": "parallel.index == 1"}}}
        stopped = begin("start -> par, par:body -> if, if:true -> bad, if:false -> h", types=types, nodes=nodes)

        messages.deliver_all()
        recover(messages, completed)
        recover(messages, paused)

        stored = [frame for run in (completed, failed, cancelled, paused, stopped) for frame in read_back(run.pk)]
        assert sorted(live, key=place) == sorted(stored, key=place)
        assert {frame["type"] for frame in live} == set(EventType)

    @pytest.mark.parametrize("width", [10, 65_535, 300_000])
    def test_outputs_of_the_run_are_told_as_they_are_read_back(self, messages: Messages, live: Any, width: int) -> None:
        value = {"result": "w" * width}
        run = begin(
            "start -> out",
            nodes={"out": {"config": {"value": "{{start.given}}", "format": "json"}}},
            inputs={"given": value},
        )

        messages.deliver_all()

        shown = live[-1]["data"].keys()
        assert live == read_back(run.pk)
        assert shown == {"duration_ms", "outputs" if width == 10 else "outputs_omitted"}

    def test_frames_are_read_in_pages(self, messages: Messages) -> None:
        run = begin("start -> a -> b")
        messages.deliver_all()
        everything = read_back(run.pk)

        pages = [read_back(run.pk, after=after, limit=3) for after in (0, 3, 6, 9)]

        assert pages == [everything[:3], everything[3:6], everything[6:], []]
        assert [frame["seq"] for frame in everything] == list(range(1, 9))


def place(frame: dict[str, Any]) -> tuple[str, int]:
    return frame["execution_id"], frame["seq"]


@pytest.mark.parametrize(
    ("kind", "bulk", "shown"),
    [
        ("node:completed", '{"a":1}', {"output": {"a": 1}}),
        ("node:completed", "null", {"output": None}),
        ("node:completed", None, {"output": None}),  # it has none
        ("node:completed", 70_000, {"output_omitted": 70_000}),  # it stayed in its row
        ("execution:completed", '{"a":1}', {"outputs": {"a": 1}}),
        ("node:failed", '{"error":{}}', {}),  # its error is in the event
        ("node:started", None, {}),
    ],
)
def test_frame_carries_the_output_that_belongs_to_it(kind: str, bulk: frames.Bulk | None, shown: Any) -> None:
    frame = frames.frame(RUN, 7, kind=kind, at=AT, data='{"n":1}', node_id="a", scope="loop[0]", bulk=bulk)

    assert frame.value() == {
        "type": kind,
        "seq": 7,
        "timestamp": "2026-01-02T03:04:05.000678+00:00",
        "execution_id": str(RUN),
        "node_id": "a",
        "scope": "loop[0]",
        "data": {"n": 1, **shown},
    }


def test_frame_of_the_run_names_no_node() -> None:
    frame = frames.frame(RUN, 1, kind="execution:started", at=AT, data="{}")

    assert frame.value().keys() == {"type", "seq", "timestamp", "execution_id", "data"}


def test_frames_of_a_write_are_a_sequence() -> None:
    """Each is built when it is read."""
    cancelled = EventType.EXECUTION_CANCELLED
    events = [RunEvent(type=cancelled, at=AT, data={"reason": str(n), "duration_ms": n}) for n in range(3)]

    told = frames.Told(RUN, 10, events)

    assert len(told) == 3
    assert [frame.seq for frame in told] == [11, 12, 13]
    assert (told[-1].seq, told[-1].value()["data"]) == (13, {"reason": "2", "duration_ms": 2})
    assert [frame.seq for frame in told[1:]] == [12, 13]
    with pytest.raises(IndexError):
        told[3]
