"""The page's own modules, run by Node where there is one: they fold what the server tells into what the server shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from itertools import product
from random import Random
from typing import Any

import pytest

from executions.core import NodeStatus
from executions.metadata import write_entry
from realtime import snapshot
from realtime.core import Standing, edge_looks
from tests.realtime.core.test_edges import (
    BACK,
    BACK_ERROR,
    BACK_PORT,
    BACK_TIMEOUT,
    BODY,
    ERROR,
    PORT,
    SUCCESS,
    TIMEOUT,
)
from tests.realtime.core.test_wording import DURATIONS, REASONS, STANDINGS, TALLIES
from tests.realtime.javascript import folded, javascript, needs_node
from tests.realtime.runs import Run, plan_of
from tests.told import read_back

pytestmark = needs_node


def story(run: Run) -> None:
    """Success, a port, a skipped branch, a handled failure, a retry, and a node that is still under way."""
    run.begin("ask")
    run.finish("ask", {"chosen": 1}, port="true")
    run.begin("call")
    run.tell("node:failed", "call", attempt=1, duration_ms=5, error={"message": "no"}, handled=True)
    run.begin("mend")
    run.tell("node:started", "mend", attempt=2)


@pytest.fixture
def told(make_run: Callable[..., Run]) -> Run:
    run = make_run(plan_of("ask", "call", "mend", "rest", edges="ask-true>call, call!>mend, mend>rest"))
    story(run)
    return run


FOLDED = ("status", "handled", "port", "error", "started_at", "ended_at")


def comparable(nodes: Any) -> dict[str, dict[str, Any]]:
    """What both sides know of the nodes that events told of; a missing field is one that never was."""
    return {node["node_id"]: {name: node.get(name) or None for name in FOLDED} for node in nodes}


def test_folded_events_are_what_the_server_shows(told: Run) -> None:
    """A client that hears every event has the same run before it as one that asks."""
    state = folded(read_back(told.id))

    taken = snapshot.take(told.id)
    seen = [node for node in taken.nodes if node["attempt"]]
    assert (state["status"], state["seq"]) == ("running", taken.run.seq)
    assert comparable(state["nodes"].values()) == comparable(seen)


def test_snapshot_then_events_is_what_all_events_are(told: Run) -> None:
    """Whoever joins late, at any moment, ends with the same: events that a snapshot knew already change nothing."""
    everything = read_back(told.id)
    whole = snapshot.take(told.id).frame({})

    state = folded([*everything[:3], whole, *everything])

    assert comparable(state["nodes"].values()) == comparable(whole["nodes"])


def test_folding_events_twice_or_late_changes_nothing(told: Run) -> None:
    """By number: an event that is not newer is not folded."""
    everything = read_back(told.id)
    again = [*everything, *Random(1).sample(everything, len(everything))]

    assert folded(again) == folded(everything)


def test_end_of_a_run_cancels_what_was_not_through(told: Run) -> None:
    """As the server's rows say when it is over."""
    told.tell("execution:cancelled", reason="enough", duration_ms=9)
    whole = snapshot.take(told.id).frame({})

    state = folded([{**whole, "status": "running"}, *read_back(told.id)])

    assert (state["status"], state["nodes"]["rest"]["status"]) == ("cancelled", "cancelled")


def token(offset: int, text: str) -> dict[str, Any]:
    return {"type": "node:token", "stream": "llm/", "offset": offset, "text": text}


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ([(0, "Hello"), (5, " you")], "Hello you"),
        ([(0, "👋🏽 hi"), (5, "!")], "👋🏽 hi!"),  # offsets count code points: five here, seven to JavaScript
        ([(0, "👋🏽 hi"), (2, "?")], "👋🏽?"),  # said anew from its middle
        ([(0, "Hello"), (5, " you"), (5, " you")], "Hello you"),  # doubled
        ([(0, "A first attempt"), (0, "Second")], "Second"),
        ([(0, "Hello"), (9, "you")], "Hello … you"),  # a hole shows as one
    ],
)
def test_tokens_are_put_where_their_offset_says(pieces: list[tuple[int, str]], shown: str) -> None:
    """The same rule as the server's."""
    state = folded([token(*piece) for piece in pieces])

    assert state["streams"]["llm"]["text"] == shown


def reached(fraction: float, scope: str = "") -> dict[str, Any]:
    return {"type": "node:reached", "stream": f"mend/{scope}", "fraction": fraction, "message": "row"}


def test_progress_is_of_the_visit_that_runs(told: Run) -> None:
    """A late one changes nothing; another attempt begins anew."""
    whole = snapshot.take(told.id).frame({})
    told.tell("node:started", "mend", attempt=3)
    *_, again = read_back(told.id)
    told.finish("mend", {})
    *_, finished = read_back(told.id)

    tellings = [[reached(0.5)], [reached(0.5), reached(0.7, "loop[1]")], [reached(0.5), again], [finished, reached(1)]]
    states = [folded([whole, *frames])["nodes"]["mend"]["reached"] for frames in tellings]

    half = {"fraction": 0.5, "message": "row"}
    assert states == [half, half, None, None]


def test_metadata_is_what_was_said_last(told: Run) -> None:
    """Whatever the order in which it came."""
    write_entry(told.id, "__proto__", "1")
    write_entry(told.id, "rows", "1")
    whole = snapshot.take(told.id).frame({})

    told_of = [("rows", 3, 3), ("rows", 2, 2), ("more", None, 1), ("__proto__", 0, 1)]  # overtaken, in the snapshot
    frame = {"type": "execution:metadata"}
    said = [{**frame, "key": key, "value": value, "revision": revision} for key, value, revision in told_of]

    assert folded([whole, *said])["metadata"] == [["__proto__", 1], ["rows", 3], ["more", None]]


def test_another_attempt_forgets_what_the_last_one_said(told: Run) -> None:
    """Before its first word comes."""
    start = {"type": "node:started", "node_id": "llm", "scope": "", "timestamp": "2026-05-04T12:00:00+00:00"}
    data = {"node_name": "LLM", "node_type": "llm"}
    first, second = ({**start, "seq": number, "data": {**data, "attempt": number}} for number in (1, 2))

    state = folded([first, token(0, "Half a sen"), second])

    assert state["streams"] == {}


def in_branch(index: int, offset: int, text: str) -> dict[str, Any]:
    return {**token(offset, text), "stream": f"llm/par[{index}]"}


def started(seq: int, scope: str, node: str = "llm", kind: str = "started", **data: Any) -> dict[str, Any]:
    told = {"node_name": "LLM", "node_type": "llm", "attempt": 1, **data}
    at = "2026-05-04T12:00:00+00:00"
    return {"type": f"node:{kind}", "seq": seq, "node_id": node, "scope": scope, "timestamp": at, "data": told}


def test_of_several_streams_of_a_node_the_one_that_began_last_is_kept() -> None:
    """A parallel of a thousand branches that all speak is no thousand texts in a browser."""
    state = folded([in_branch(0, 0, "Zero"), in_branch(1, 0, "One"), in_branch(0, 4, " more"), in_branch(1, 3, "!")])

    assert {node: (stream["scope"], stream["text"]) for node, stream in state["streams"].items()} == {
        "llm": ("par[1]", "One!")
    }


@pytest.mark.parametrize(
    ("frames", "kept"),
    [
        ([started(1, "par[0]"), in_branch(0, 0, "Zero"), started(2, "par[1]")], {}),  # of the visit that was newest
        ([started(1, "par[0]"), in_branch(1, 0, "One"), started(2, "par[2]")], {"llm": "One"}),  # of one yet to be told
        ([started(1, "par[0]"), started(2, "par[1]"), in_branch(0, 4, "late")], {}),  # its beginning is gone
        ([in_branch(0, 0, "Zero"), started(1, "par[0]"), started(2, "par[0]", kind="retrying", error={})], {}),
    ],
)
def test_stream_goes_with_the_visit_that_said_it(frames: list[dict[str, Any]], kept: dict[str, str]) -> None:
    """When the next visit begins, what the last one said is not its text."""
    assert {node: stream["text"] for node, stream in folded(frames)["streams"].items()} == kept


def test_thousand_iterations_leave_a_state_for_each_node_and_no_more() -> None:
    """What a page keeps does not grow with what it watches."""
    frames = [started(1, "", "loop", total=1000)]
    for index in range(1000):
        frames += [
            started(4 * index + 2, f"loop[{index}]", "llm"),
            started(4 * index + 3, f"loop[{index}]", "llm", kind="completed", output={"n": index}),
            started(4 * index + 4, f"loop[{index}]", "sms", kind="skipped"),
            started(4 * index + 5, "", "loop", kind="progress", done=index + 1),
        ]

    nodes = folded(frames)["nodes"]

    assert sorted(nodes) == ["llm", "loop", "sms"]
    assert (nodes["llm"]["scope"], nodes["llm"]["output"]) == ("loop[999]", {"n": 999})
    assert nodes["llm"]["visits"] == {"completed": 1000, "failed": 0, "skipped": 0}
    assert nodes["sms"]["visits"] == {"completed": 0, "failed": 0, "skipped": 1000}
    assert nodes["loop"]["progress"] == {"done": 1000, "total": 1000}


def test_tallies_are_worded_as_by_the_server() -> None:
    """In the same figures."""
    nodes = [
        {
            "status": "running",
            "progress": progress and {"done": progress[0], "total": progress[1]},
            "visits": visits and {"completed": visits[0], "failed": visits[1], "skipped": 7},
            "waits": waits,
        }
        for progress, visits, waits, _ in TALLIES
    ]

    assert javascript("tallies", nodes) == [["running", [list(pair) for pair in figures]] for *_, figures in TALLIES]


def test_nodes_are_shown_to_stand_as_by_the_server() -> None:
    """And to wait for what both know."""
    asked = [
        {
            "node": {"status": status, "due_at": "2026-05-04T12:00:00+00:00" if known.get("is_due") else None},
            "waits": known.get("waits", 0),
            "paused": known.get("is_paused", False),
        }
        for status, known, _ in STANDINGS
    ]

    assert javascript("standings", asked) == [shown for *_, shown in STANDINGS]


def test_reasons_are_worded_as_by_the_server() -> None:
    """In the same words."""
    asked = [{"reason": reason, "waiting": waiting} for reason, waiting, _ in REASONS]

    assert javascript("reasons", asked) == [text for *_, text in REASONS]


def test_durations_are_worded_as_by_the_server() -> None:
    """A page that was drawn by one is kept by the other."""
    assert javascript("durations", [milliseconds for milliseconds, _ in DURATIONS]) == [text for _, text in DURATIONS]


def test_edges_look_as_on_the_server() -> None:
    """Every status has the same edges on both sides."""
    standings = [
        Standing(status=status, handled=handled, disabled=disabled, pauses=pauses, port=port)
        for status, handled, disabled, pauses, port in product(
            NodeStatus, [False, True], [False, True], [False, True], ["true", "false", "timeout", None]
        )
    ]
    edges = [SUCCESS, PORT, ERROR, TIMEOUT, BODY, BACK, BACK_PORT, BACK_ERROR, BACK_TIMEOUT]
    drawn = [[edge.source, edge.target, edge.type.value, edge.port] for edge in edges]

    pairs = [{"a": standing, "b": Standing(status=status)} for standing in standings for status in NodeStatus]

    found = javascript(
        "looks", [{"edges": drawn, "nodes": {key: asdict(node) for key, node in pair.items()}} for pair in pairs]
    )

    assert found == [edge_looks(edges, pair) for pair in pairs]


VIEW = {"width": 900, "height": 700}


def card(x: float, y: float) -> dict[str, float]:
    return {"x": x, "y": y, "right": x + 264, "bottom": y + 60}


@pytest.mark.parametrize(
    ("graph", "target", "sight"),
    [
        ((336, 364), card(36, 36), (1, 0, 0)),  # small: at full size, and the page centres it
        ((1500, 900), card(36, 36), (0.6, 0, 0)),  # all of its width, however wide, while names can be read
        ((1500, 900), card(1200, 36), (0.6, 0, 0)),
        ((2500, 900), card(1200, 36), (0.36, 0, 0)),  # by a little: letters may be smaller than that
        ((600, 3000), card(36, 36), (0.85, 0, 0)),  # tall: scrolls, from its beginning
        ((600, 3000), card(36, 1000), (0.85, 0, 525.5)),  # or from where something happens
        ((600, 3000), card(36, 2900), (0.85, 0, 1850)),
        ((4000, 900), card(1868, 36), (0.4, 350, 0)),  # too wide: what happens is in the middle
        ((4000, 900), card(36, 36), (0.4, 0, 0)),  # or at the border, where there is no more
        ((4000, 900), card(3700, 36), (0.4, 700, 0)),
    ],
)
def test_first_sight_shows_the_whole_or_where_something_happens(
    graph: tuple[float, float], target: dict[str, float], sight: tuple[float, float, float]
) -> None:
    """Zoom, left, top. What is cropped is cropped around something that is worth a look."""
    asked = {"view": VIEW, "graph": dict(zip(("width", "height"), graph, strict=True)), "target": target}

    (found,) = javascript("sights", [{**asked, "readable": 0.4}])

    assert (found["zoom"], found["left"], found["top"]) == pytest.approx(sight)
