from __future__ import annotations

from datetime import timedelta

from executions.core.statuses import NodeStatus, PauseReason, RunStatus
from flowmaestro.terminal import RunProgress, fold
from tests.flowmaestro.terminal.script import START, Script, loop_run, order_run, parallel_run, paused_run, resumed_run


def test_fold_of_a_whole_run_knows_how_every_node_ended() -> None:
    """What the terminal shows at the end is what the events said."""
    run = order_run().fold()

    newest = {node_id: node.newest for node_id, node in run.nodes.items()}
    assert {node_id: visit.status for node_id, visit in newest.items()} == {
        "order": NodeStatus.COMPLETED,
        "large": NodeStatus.COMPLETED,
        "small": NodeStatus.SKIPPED,
        "reply": NodeStatus.COMPLETED,
        "stock": NodeStatus.FAILED,
    }
    assert (run.status, run.outputs) == (RunStatus.COMPLETED, {"reply": "Dear Ms Nowak, …"})
    assert run.seconds_at(run.ended_at) == 1.91
    assert (newest["large"].port, newest["reply"].model_tokens) == ("true", 132)
    assert (newest["stock"].error, newest["stock"].is_handled) == ("Connection refused", True)
    assert run.under_way == {}


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


def test_fold_of_a_loop_keeps_its_newest_iteration_and_counts() -> None:
    """A thousand iterations are a thousand visits, and no more than the newest is in memory."""
    run = loop_run(1000, total=1000, ends=False).fold()

    pages, page = run.nodes["pages"], run.nodes["page"]
    assert (pages.newest.begun, pages.newest.total, pages.newest.status) == (1000, 1000, NodeStatus.RUNNING)
    assert (page.newest.scope, page.visits, page.at_work, page.failed) == ("pages[999]", 1000, 0, 0)
    assert run.nodes.keys() == {"pages", "page", "note"}
    assert run.under_way.keys() == {"pages/"}


def test_fold_of_a_parallel_counts_who_is_at_work_and_who_failed() -> None:
    """Branches end in any order; the newest stays the one that began last."""
    run = parallel_run(12, at_work=4).fold()

    each, triage = run.nodes["each"], run.nodes["triage"]
    assert (each.newest.begun, each.newest.total) == (12, 40)
    assert (triage.newest.scope, triage.newest.status) == ("each[11]", NodeStatus.RUNNING)
    assert (triage.visits, triage.at_work, triage.failed) == (12, 4, 1)
    assert sorted(run.under_way) == ["each/", "triage/each[10]", "triage/each[11]", "triage/each[8]", "triage/each[9]"]


def test_fold_of_a_retry_waits_and_then_counts_the_visit_once() -> None:
    """The second attempt is the same visit."""
    script = loop_run(2, total=2, ends=False)
    waits = next(at for at, frame in enumerate(script.frames) if frame["type"] == "node:retrying") + 1

    waiting, tried = fold_of(script, waits).nodes["page"], fold_of(script, waits + 1).nodes["page"]

    assert (waiting.newest.status, waiting.newest.attempt, waiting.newest.attempts) == (NodeStatus.READY, 1, 3)
    assert waiting.newest.due_at == START + timedelta(milliseconds=22 + 2500)
    assert (tried.newest.status, tried.newest.attempt, tried.newest.attempts) == (NodeStatus.RUNNING, 2, 3)
    assert (tried.newest.due_at, tried.newest.error) == (None, None)
    assert (waiting.visits, tried.visits, tried.at_work) == (2, 2, 1)


def test_fold_of_a_retry_beyond_the_policy_names_no_attempt_that_is_past_the_last() -> None:
    """Attempts that a lost worker cost are not counted by the policy."""
    script = Script()
    script.starts(1, "a", "A", "http", attempt=4)
    script.retries(2, "a", "A", "http", took=1, attempt=4, wait=10)

    assert script.fold().nodes["a"].newest.attempts == 5


def test_fold_of_containers_in_each_other_counts_each_for_itself() -> None:
    """The inner one begins anew in every iteration around it."""
    script = Script()
    script.starts(1, "out", "Out", "loop", total=2)
    for index, times in ((0, 3), (1, 2)):
        script.starts(2, f"out[{index}]/in", "In", "loop", total=5)
        for inner in range(times):
            script.skips(3, f"out[{index}]/in[{inner}]/a", "A", "http")

    run = script.fold()

    assert [run.nodes[node].newest.begun for node in ("out", "in")] == [2, 2]
    assert run.nodes["a"].newest.indices == (0, 0)
    assert (run.nodes["a"].visits, run.nodes["a"].newest.status) == (0, NodeStatus.SKIPPED)


def test_fold_of_a_container_that_ends_calls_off_what_is_in_it() -> None:
    """A stopped branch has no event of its own. What is beside the container goes on."""
    script = parallel_run(3, at_work=3)
    script.starts(5, "each[1]/deep", "Deep", "loop")
    script.starts(6, "each[1]/deep[0]/a", "A", "http")
    script.starts(7, "eacher", "Eacher", "http")
    script.fails(9, "each", "Each order", "parallel", took=8, message="Out of luck", handled=True)

    run = script.fold()

    assert run.under_way.keys() == {"eacher/"}
    assert {node_id: node.newest.status for node_id, node in run.nodes.items()} == {
        "each": NodeStatus.FAILED,
        "triage": NodeStatus.CANCELLED,
        "deep": NodeStatus.CANCELLED,
        "a": NodeStatus.CANCELLED,
        "eacher": NodeStatus.RUNNING,
    }
    assert {node.at_work for node in run.nodes.values()} == {0, 1}


def test_fold_of_the_end_of_a_run_calls_off_what_was_under_way() -> None:
    """Nothing turns on for ever."""
    script = parallel_run(2, at_work=2)
    script.event("execution:cancelled", 5, reason="enough", duration_ms=5)

    run = script.fold()

    assert run.under_way == {}
    assert {node.newest.status for node in run.nodes.values()} == {NodeStatus.CANCELLED}


def test_fold_keeps_the_text_of_a_visit_until_something_follows_its_end() -> None:
    """Who prints it wants the whole once more; a loop of a thousand texts is not to be kept."""
    script = Script()
    script.starts(1, "loop[0]/a", "A", "llm")
    script.tokens("loop[0]/a", 0, "Dear Ada")
    script.completes(2, "loop[0]/a", "A", "llm", took=1)
    script.starts(3, "loop[1]/a", "A", "llm")

    assert fold_of(script, 3).texts == {"a/loop[0]": "Dear Ada"}
    assert fold_of(script, 4).texts == {}


def test_fold_of_a_paused_run_knows_why_since_when_and_what_it_waits_for() -> None:
    run = paused_run().fold()

    assert (run.status, run.pause_reason, run.paused_ms) == (RunStatus.PAUSED, PauseReason.WAITING, 0)
    assert run.paused_at == START + timedelta(milliseconds=243)
    [waits] = run.waits
    assert (waits.name, waits.status) == ("Manager approval", NodeStatus.WAITING)
    assert waits.waitpoint is not None
    assert waits.waitpoint["prompt"] == "Pay\nit back?"
    assert (run.nodes["ask"].waiting, run.nodes["ask"].at_work) == (1, 0)


def test_fold_of_a_run_that_is_paused_on_request_while_it_waits_is_paused_since_it_waits() -> None:
    script = paused_run()
    script.event("execution:paused", 9_000, reason="requested")

    run = script.fold()

    assert (run.pause_reason, run.paused_at) == (PauseReason.REQUESTED, START + timedelta(milliseconds=243))


def test_fold_of_an_answer_ends_the_wait_and_the_pause() -> None:
    run = resumed_run().fold()

    assert (run.status, run.pause_reason, run.paused_at, run.paused_ms) == (RunStatus.COMPLETED, None, None, 120_000)
    assert (run.waits, run.nodes["ask"].waiting, run.nodes["ask"].newest.waitpoint) == ([], 0, None)


def test_fold_of_the_end_of_a_paused_run_ends_its_pause() -> None:
    script = paused_run()
    script.event("execution:cancelled", 5_243, reason="enough", duration_ms=5_243)

    run = script.fold()

    assert (run.status, run.paused_at, run.paused_ms, run.waits) == (RunStatus.CANCELLED, None, 5_000, [])
    assert (run.nodes["ask"].newest.status, run.nodes["ask"].waiting) == (NodeStatus.CANCELLED, 0)


def test_fold_of_a_visit_that_is_called_off_with_its_branch() -> None:
    """The others go on."""
    script = Script()
    script.starts(1, "each", "Each", "parallel", total=2)
    for index in range(2):
        script.waits(2, f"each[{index}]/ask", "Ask", "humanReview")
    script.event("node:cancelled", 3, "each[0]/ask", node_type="humanReview", node_name="Ask")

    run = script.fold()

    assert sorted(run.under_way) == ["ask/each[1]", "each/"]
    assert (run.nodes["ask"].waiting, run.nodes["ask"].newest.status) == (1, NodeStatus.WAITING)


def fold_of(script: Script, frames: int) -> RunProgress:
    """After so many frames."""
    run = RunProgress()
    for frame in script.frames[:frames]:
        run = fold(run, frame)
    return run


def test_fold_of_an_unknown_frame_changes_nothing() -> None:
    """A newer server may send more than we know."""
    run = order_run().fold()

    assert fold(run, {"type": "variable:updated", "seq": 99, "data": {}}) == run


def test_seconds_at_a_moment_before_the_start_is_zero() -> None:
    """The clocks of two machines differ by more than a node takes."""
    run = RunProgress(started_at=START)

    assert run.seconds_at(START - timedelta(seconds=1)) == 0.0
