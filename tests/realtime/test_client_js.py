"""The page's own modules, run by Node where there is one: they fold what the server tells into what the server shows."""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

import realtime
from executions.core import NodeStatus
from realtime import snapshot
from realtime.core import Standing, edge_looks
from tests.realtime.core.test_edges import BACK, BACK_ERROR, BACK_PORT, BODY, ERROR, PORT, SUCCESS
from tests.realtime.core.test_wording import DURATIONS
from tests.realtime.runs import Run, plan_of
from tests.told import read_back

MODULES = Path(realtime.__file__).parent / "static/realtime"
HARNESS = Path(__file__).parent / "javascript.mjs"

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no Node here to run the page's script")


@cache
def modules() -> str:
    """The modules in a folder that says they are modules: Node asks for that, browsers do not."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    shutil.copytree(MODULES, folder, dirs_exist_ok=True)
    (Path(folder) / "package.json").write_text('{"type": "module"}')
    return folder


def javascript(call: str, value: Any) -> Any:
    done = subprocess.run(
        ["node", str(HARNESS), modules()],
        input=json.dumps({"call": call, "with": value}),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


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
    state = javascript("fold", read_back(told.id))

    taken = snapshot.take(told.id)
    seen = [node for node in taken.nodes if node["attempt"]]
    assert (state["status"], state["seq"]) == ("running", taken.run.seq)
    assert comparable(state["nodes"].values()) == comparable(seen)


def test_snapshot_then_events_is_what_all_events_are(told: Run) -> None:
    """Whoever joins late, at any moment, ends with the same: events that a snapshot knew already change nothing."""
    everything = read_back(told.id)
    whole = snapshot.take(told.id).frame({})

    state = javascript("fold", [*everything[:3], whole, *everything])

    assert comparable(state["nodes"].values()) == comparable(whole["nodes"])


def test_folding_events_twice_or_late_changes_nothing(told: Run) -> None:
    """By number: an event that is not newer is not folded."""
    everything = read_back(told.id)
    again = [*everything, *Random(1).sample(everything, len(everything))]

    assert javascript("fold", again) == javascript("fold", everything)


def test_end_of_a_run_cancels_what_was_not_through(told: Run) -> None:
    """As the server's rows say when it is over."""
    told.tell("execution:cancelled", reason="enough", duration_ms=9)
    whole = snapshot.take(told.id).frame({})

    state = javascript("fold", [{**whole, "status": "running"}, *read_back(told.id)])

    assert (state["status"], state["nodes"]["rest/"]["status"]) == ("cancelled", "cancelled")


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
    state = javascript("fold", [token(*piece) for piece in pieces])

    assert state["streams"]["llm/"]["text"] == shown


def test_another_attempt_forgets_what_the_last_one_said(told: Run) -> None:
    """Before its first word comes."""
    start = {"type": "node:started", "node_id": "llm", "scope": "", "timestamp": "2026-05-04T12:00:00+00:00"}
    data = {"node_name": "LLM", "node_type": "llm"}
    first, second = ({**start, "seq": number, "data": {**data, "attempt": number}} for number in (1, 2))

    state = javascript("fold", [first, token(0, "Half a sen"), second])

    assert state["streams"] == {}


def test_durations_are_worded_as_by_the_server() -> None:
    """A page that was drawn by one is kept by the other."""
    assert javascript("durations", [milliseconds for milliseconds, _ in DURATIONS]) == [text for _, text in DURATIONS]


def test_edges_look_as_on_the_server() -> None:
    """Every status has the same edges on both sides."""
    standings = [
        Standing(status=status, handled=handled, disabled=disabled, port=port)
        for status, handled, disabled, port in product(NodeStatus, [False, True], [False, True], ["true", "false"])
    ]
    edges = [SUCCESS, PORT, ERROR, BODY, BACK, BACK_PORT, BACK_ERROR]
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
