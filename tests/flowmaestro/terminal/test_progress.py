from __future__ import annotations

from datetime import timedelta

from executions.core.statuses import NodeStatus, RunStatus
from flowmaestro.terminal import RunProgress, fold
from tests.flowmaestro.terminal.script import START, Script, order_run


def test_fold_of_a_whole_run_knows_how_every_node_ended() -> None:
    """What the terminal shows at the end is what the events said."""
    run = order_run().fold()

    assert {key: node.status for key, node in run.nodes.items()} == {
        "order/": NodeStatus.COMPLETED,
        "large/": NodeStatus.COMPLETED,
        "small/": NodeStatus.SKIPPED,
        "reply/": NodeStatus.COMPLETED,
        "stock/": NodeStatus.FAILED,
    }
    assert (run.status, run.outputs) == (RunStatus.COMPLETED, {"reply": "Dear Ms Nowak, …"})
    assert run.seconds_at(run.ended_at) == 1.91
    assert (run.nodes["large/"].port, run.nodes["reply/"].model_tokens) == ("true", 132)
    assert (run.nodes["stock/"].error, run.nodes["stock/"].is_handled) == ("Connection refused", True)


def test_fold_of_tokens_puts_them_where_their_offset_says() -> None:
    """A piece that overlaps what is there, as after a reconnect, shows once."""
    script = Script()
    script.tokens("reply", 0, "Dear Ms ")
    script.tokens("reply", 5, "Ms Nowak")

    assert script.fold().texts == {"reply/": "Dear Ms Nowak"}


def test_fold_of_tokens_from_the_beginning_starts_the_text_anew() -> None:
    """Another attempt of the node streams its own text."""
    script = Script()
    script.tokens("reply", 0, "Dear Ms Nowak")
    script.tokens("reply", 0, "Hello")

    assert script.fold().texts == {"reply/": "Hello"}


def test_fold_of_a_snapshot_takes_over_what_was_streamed() -> None:
    """Who joins in the middle is given the beginning in one piece."""
    script = Script()
    script.frames.append({"type": "snapshot", "seq": 3, "streams": {"reply/": {"offset": 0, "text": "Dear Ms "}}})
    script.tokens("reply", 8, "Nowak")

    assert script.fold().texts == {"reply/": "Dear Ms Nowak"}


def test_fold_of_a_failed_run_has_its_error() -> None:
    """The message is what a person reads; the code is for programs."""
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="W", total_nodes=1)
    script.event("execution:failed", 5, error={"message": "No such host", "code": "unreachable"}, duration_ms=5)

    run = script.fold()

    assert (run.status, run.error, run.outputs) == (RunStatus.FAILED, "No such host", None)


def test_fold_of_a_cancelled_run_has_the_reason() -> None:
    """Whoever cancelled it said why."""
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="W", total_nodes=1)
    script.event("execution:cancelled", 5, reason="Cancelled by user", duration_ms=5)

    run = script.fold()

    assert (run.status, run.error) == (RunStatus.CANCELLED, "Cancelled by user")


def test_fold_of_an_unknown_frame_changes_nothing() -> None:
    """A newer server may send more than we know."""
    run = order_run().fold()

    assert fold(run, {"type": "variable:updated", "seq": 99, "data": {}}) == run


def test_seconds_at_a_moment_before_the_start_is_zero() -> None:
    """The clocks of two machines differ by more than a node takes."""
    run = RunProgress(started_at=START)

    assert run.seconds_at(START - timedelta(seconds=1)) == 0.0
