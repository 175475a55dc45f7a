from __future__ import annotations

import io

from rich.console import Console

from flowmaestro.terminal import RunProgress, fold
from flowmaestro.terminal.plain import PlainView
from tests.flowmaestro.terminal.script import Script, order_run


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
