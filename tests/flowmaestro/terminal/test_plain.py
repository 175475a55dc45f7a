from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from flowmaestro.terminal import RunProgress, fold
from flowmaestro.terminal.plain import PlainView
from tests.flowmaestro.terminal.script import Script, loop_run, order_run, parallel_run, resumed_run


def printed(script: Script, *, ticks_after: frozenset[int] = frozenset()) -> str:
    """What a run looks like in a pipe, with a quiet moment after the frames of these indices."""
    file = io.StringIO()
    run = RunProgress()
    with PlainView(Console(file=file, width=40), width=72) as view:  # the console's width does not fold lines
        for index, frame in enumerate(script.frames):
            run = fold(run, frame)
            view.show(frame, run)
            if index in ticks_after:
                view.show(None, run)
    return file.getvalue()


def test_view_of_a_whole_run_reads_from_top_to_bottom() -> None:
    """One line for what ends at once, two for what takes time, text by whole words, no cursor tricks."""
    assert printed(order_run()) == (
        "Order triage · 6 nodes\n"
        "   0.00 s  ✓ Order in                     trigger          1 ms\n"
        "   0.00 s  ✓ Large order?                 conditional      2 ms  → true\n"
        "           ╌ Standard care                setVariable            skipped\n"
        "   0.01 s  ▸ Draft the reply              llm\n"
        "   0.01 s  ▸ Look at the stock            http\n"
        "           │ Dear Ms Nowak, thank you for your order. We are looking\n"
        "           │ into it right now and will be\n"
        "   0.24 s  ✗ Look at the stock            http           235 ms"
        "  Connection refused — handled by its error edge\n"
        "           │ back with you\n"
        "           │ within the day.\n"
        "   1.91 s  ✓ Draft the reply              llm            1.90 s  132 tokens\n"
        "   1.91 s  Order triage completed in 1.91 s\n"
    )


def test_view_of_a_node_that_takes_its_time_says_that_it_began() -> None:
    """Its start is held for a moment, not until it ends."""
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="W", total_nodes=1)
    script.starts(1, "call", "Call", "http")
    script.completes(3000, "call", "Call", "http", took=2999)

    text = printed(script, ticks_after=frozenset({1}))

    assert text == (
        "W · 1 nodes\n"
        "   0.00 s  ▸ Call                         http\n"
        "   3.00 s  ✓ Call                         http           3.00 s\n"
    )


def test_view_of_two_texts_at_once_keeps_them_apart() -> None:
    """Each piece stands on a line of its own text."""
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="W", total_nodes=2)
    script.tokens("a", 0, "one two ")
    script.tokens("b", 0, "uno dos ")
    script.tokens("a", 8, "three ")

    assert printed(script) == "W · 2 nodes\n           │ one two\n           │ uno dos\n           │ three\n"


def test_view_of_a_run_that_waits_says_for_what_and_when_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the time of the person who reads it."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    text = printed(resumed_run())

    assert text == (
        "Refund · 3 nodes\n"
        "   0.00 s  ‖ Manager approval             humanReview            waits for an answer: Pay it back?,"
        " until 13:00:00, in 59 min 59 s\n"
        "   0.24 s  ✓ Look at the stock            http           240 ms\n"
        "   0.24 s  Refund is paused: waits for Manager approval\n"
        " 120.24 s  Refund goes on after 2 min 00 s\n"
        " 120.24 s  ✓ Manager approval             humanReview 2 min 00 s\n"
        " 120.30 s  Refund completed in 2 min 00 s, paused for 2 min 00 s of it\n"
    )


def test_view_of_a_run_that_is_held_says_so() -> None:
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="W", total_nodes=1)
    script.event("execution:paused", 5, reason="requested")

    assert printed(script).splitlines()[-1] == "   0.01 s  W is paused: on request: nothing new starts"


def test_view_that_stands_aside_ends_its_line() -> None:
    """Who is asked begins on a line of his own."""
    file, script = io.StringIO(), Script()
    script.tokens("a", 0, "one two ")

    with PlainView(Console(file=file)) as view:
        view.show(script.frames[0], script.fold())
        with view.aside():
            file.write("asked\n")

    assert file.getvalue().splitlines()[-2:] == ["           │ one two", "asked"]


def test_view_of_a_long_loop_tells_the_first_iterations_and_then_how_far_it_is() -> None:
    """A log of a thousand iterations has a line for each time their number doubles."""
    lines = printed(loop_run(1000, total=None)).splitlines()

    assert lines[1:9] == [
        "   0.00 s  ▸ Page after page              loop",
        "   0.01 s  ✓   Read a page #1             http             5 ms",
        "   0.02 s  ✓   Note it #1                 setVariable      1 ms",
        "   0.02 s  ↻   Read a page #2             http             2 ms  retrying in 3 s, attempt 2 of 3: 503 Busy",
        "   0.03 s  ✓   Read a page #2             http             5 ms",
        "   0.03 s  ✓   Note it #2                 setVariable      1 ms",
        "   0.04 s  ✓   Read a page #3             http             5 ms",
        "   0.04 s  ✓   Note it #3                 setVariable      1 ms",
    ]
    assert [line.rpartition("  ")[2] for line in lines[9:-1]] == [
        *(f"iteration {number}" for number in (6, 12, 24, 48, 96, 192, 384, 768)),
        "1000 iterations",
    ]


def test_view_of_many_branches_tells_the_first_then_tenths_and_a_few_failures() -> None:
    """What nothing took is worth a line, though not a thousand."""
    script = parallel_run(40, at_work=40)
    for index in range(40):
        path = f"each[{index}]/triage"
        script.fails(100 + index, path, "Triage it", "llm", took=98, message="Out of luck", handled=index % 2 > 0)

    lines = printed(script).splitlines()

    assert [line.split()[-1] for line in lines if "Each order" in line] == [
        *("0/40", "7/40", "11/40", "15/40", "19/40", "23/40", "27/40", "31/40", "35/40", "39/40")
    ]
    assert [line.split("#")[1].split()[0] for line in lines if "Out of luck" in line] == [
        *("1", "2", "3", "5", "7", "9", "11", "13", "15", "17", "19")  # the second was handled
    ]


def test_view_of_branches_that_write_at_once_prints_the_text_of_the_first() -> None:
    """Pieces of forty texts in turn are none."""
    script = parallel_run(2, at_work=2)
    script.tokens("each[0]/triage", 0, "one two ")
    script.tokens("each[1]/triage", 0, "uno dos ")

    assert printed(script).splitlines()[-1] == "           │ one two"
    assert "uno" not in printed(script)


def test_view_of_nested_containers_tells_the_first_few_taken_together() -> None:
    """Three by three by three would be many."""
    script = Script()
    script.starts(1, "out", "Out", "loop", total=9)
    for index in range(9):
        script.starts(2, f"out[{index}]/in", "In", "loop", total=9)
        for inner in range(9):
            script.starts(3, f"out[{index}]/in[{inner}]/a", "A", "http")

    lines = printed(script).splitlines()

    assert [line.split("#")[1].split()[0] for line in lines if "A #" in line] == [
        "1.1",
        "1.2",
        "1.3",
        "2.1",
        "2.2",
        "3.1",
    ]


def test_view_that_is_left_in_the_middle_ends_its_line() -> None:
    """Ctrl-C does not leave the prompt at the end of a text."""
    script = Script()
    script.tokens("a", 0, "one two ")

    assert printed(script) == "           │ one two\n"


def test_view_of_a_failed_run_says_why() -> None:
    """The last line is what people look at."""
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="W", total_nodes=1)
    script.event("execution:failed", 5, error={"message": "No such host", "code": "unreachable"}, duration_ms=5)

    assert printed(script).splitlines()[-1] == "   0.01 s  W failed in 5 ms: No such host"
