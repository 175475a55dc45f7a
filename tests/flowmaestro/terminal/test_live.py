from __future__ import annotations

import io

import pytest
from rich.console import Console

from flowmaestro.terminal import RunProgress, fold
from flowmaestro.terminal.live import LiveView
from tests.flowmaestro.terminal.script import Script, order_run


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


def test_picture_before_the_first_event_says_what_it_waits_for() -> None:
    """An empty screen would look broken."""
    assert pictured(Script(), frames=0, width=80) == ["Waiting for a worker …"]
