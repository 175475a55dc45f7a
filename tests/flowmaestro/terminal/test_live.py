from __future__ import annotations

import io
from datetime import timedelta

import pytest
import time_machine
from rich.console import Console

from flowmaestro.terminal import RunProgress, fold
from flowmaestro.terminal.live import LiveView
from tests.flowmaestro.terminal.script import START, Script, loop_run, order_run, parallel_run, paused_run


def pictured(script: Script, *, frames: int, width: int) -> list[str]:
    """The picture after so many frames, without its colours."""
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    view = LiveView(console)
    run = RunProgress()
    for frame in script.frames[:frames]:
        run = fold(run, frame)
        view.show(frame, run)
    with console.capture() as capture:
        console.print(view.render())
    return [line.rstrip() for line in capture.get().splitlines()]


def test_picture_at_the_end_shows_who_ran_when() -> None:
    """Bars on one scale show what ran side by side; what did not happen is one line."""
    script = order_run()

    assert pictured(script, frames=len(script.frames), width=120) == [
        "Order triage",
        "",
        "✓  Order in                 trigger      ━                              1 ms",
        "✓  Large order?             conditional  ━                              2 ms → true",
        "✓  Draft the reply          llm          ━━━━━━━━━━━━━━━━━━━━━━━━     1.90 s 132 tokens",
        "✗  Look at the stock        http         ━━━                          235 ms Connection refused — handled by its error …",
        "╌  skipped: Standard care",
        "",
        "Order triage completed in 1.91 s",
    ]


def test_picture_on_a_narrow_terminal_leaves_out_what_it_can() -> None:
    """No line is folded: a folded one would break the picture when it is drawn again."""
    script = order_run()

    lines = pictured(script, frames=len(script.frames), width=60)

    assert lines[2:5] == [
        "✓  Order in                   ━                  1 ms",
        "✓  Large order?               ━                  2 ms → true",
        "✓  Draft the reply            ━━━━━━━━━━━━     1.90 s 132 t…",
    ]
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize(("frames", "text"), [(9, "thank you for ▌"), (10, "will be ba▌")])
def test_picture_while_a_text_is_written_shows_its_end(frames: int, text: str) -> None:
    """The newest words are the ones that move."""
    lines = pictured(order_run(), frames=frames, width=80)

    box = [line.strip("│ ") for line in lines if line.startswith("│")]
    assert box[-1].endswith(text)


def test_picture_of_a_loop_has_a_line_for_each_node_and_none_for_each_iteration() -> None:
    """The body below its container, as far as it is."""
    script = loop_run(1000, total=1000)

    assert pictured(script, frames=len(script.frames), width=120)[2:5] == [
        "✓  Page after page          loop         ━━━━━━━━━━━━━━━━━━━━━━━━    10.02 s 1000/1000",
        "✓    Read a page            http                                ━       5 ms 1000 visits",
        "✓    Note it                setVariable                         ━       1 ms 1000 visits",
    ]


def test_picture_of_a_loop_that_does_not_know_its_end_says_how_far_it_is() -> None:
    """Its condition decides after each iteration."""
    lines = pictured(loop_run(3, total=None, ends=False), frames=100, width=120)

    assert lines[2].endswith(" iteration 3")


@time_machine.travel(START + timedelta(seconds=1), tick=False)
def test_picture_of_a_node_between_two_attempts_says_when_it_is_tried_again() -> None:
    """And what went wrong; the next attempt says which it is."""
    script = loop_run(2, total=2, ends=False)
    waits = next(at for at, frame in enumerate(script.frames) if frame["type"] == "node:retrying") + 1

    waiting, tried = [pictured(script, frames=number, width=140)[3] for number in (waits, waits + 1)]

    assert waiting.startswith("↻    Read a page")
    assert waiting.endswith("2 ms 2 visits, retrying in 2 s, attempt 2 of 3: 503 Busy")
    assert tried.endswith(" 2 visits, attempt 2 of 3")


@time_machine.travel(START + timedelta(minutes=5), tick=False)
def test_picture_of_a_paused_run_says_what_it_waits_for() -> None:
    """Nothing turns: neither what asks, nor what holds it."""
    script = paused_run()
    script.frames.insert(1, script.frames[1] | {"node_id": "each", "data": {**script.frames[1]["data"], "total": 2}})  # type: ignore[dict-item]

    lines = pictured(script, frames=100, width=200)

    assert [line[0] for line in lines[2:5]] == ["‖", "‖", "✓"]
    assert "4 min 59 s waits for an answer: Pay it back?, until " in lines[3]
    assert lines[3].endswith(", in 55 min 00 s")
    assert lines[-1] == "Refund is paused for 4 min 59 s: waits for Manager approval"


def test_picture_of_branches_that_wait_says_how_many() -> None:
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="W", total_nodes=2)
    script.starts(1, "each", "Each", "parallel", total=3)
    for index in range(3):
        script.waits(2, f"each[{index}]/ask", "Ask", "humanReview")

    assert pictured(script, frames=100, width=200)[3].endswith("3 visits, 3 waiting, waits for an answer")


def test_picture_stands_still_while_somebody_is_asked() -> None:
    """And is drawn anew afterwards."""
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)

    with LiveView(console) as view:
        with view.aside():
            is_still = not view._live.is_started
        is_back = view._live.is_started

    assert (is_still, is_back) == (True, True)


def test_picture_of_a_parallel_says_how_many_are_at_work_and_how_many_failed() -> None:
    """One line, however many branches there are."""
    lines = pictured(parallel_run(12, at_work=4), frames=100, width=120)

    assert lines[2].endswith(" 12/40")
    assert lines[3].endswith(" 12 visits, 4 at work, 1 failed")
    assert len(lines) == 7


def test_picture_of_branches_of_which_the_newest_has_ended_still_moves() -> None:
    """A tick would say that the node is through."""
    script = parallel_run(3, at_work=3)
    script.completes(50, "each[2]/triage", "Triage it", "llm", took=48)

    line = pictured(script, frames=100, width=120)[3]

    assert line[0] in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
    assert line.endswith(" 3 visits, 2 at work")


def test_picture_of_texts_that_are_written_at_once_shows_a_few_by_number() -> None:
    """Forty boxes would push the nodes off the screen."""
    script = parallel_run(5, at_work=5)
    for index in range(5):
        script.tokens(f"each[{index}]/triage", 0, f"text of {index}")

    lines = pictured(script, frames=100, width=80)

    assert [line.split("─")[1].strip() for line in lines if line.startswith("╭")] == [
        "Triage it #1",
        "Triage it #2",
        "Triage it #3",
    ]


def test_picture_has_bodies_below_their_containers_in_each_other() -> None:
    """Whatever began in between."""
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="W", total_nodes=5)
    for node in ("out", "beside", "out[0]/in", "after", "out[0]/in[0]/a", "out[0]/b"):
        script.starts(1, node, node.rpartition("/")[2].title(), "loop" if node.endswith(("out", "in")) else "http")

    lines = pictured(script, frames=100, width=80)

    assert [line[3:].split("  ━")[0].rstrip() for line in lines[2:8]] == [
        "Out",
        "  In",
        "    A",
        "  B",
        "Beside",
        "After",
    ]


def test_picture_before_the_first_event_says_what_it_waits_for() -> None:
    """An empty screen would look broken."""
    assert pictured(Script(), frames=0, width=80) == ["Waiting for a worker …"]
