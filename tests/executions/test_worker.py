from __future__ import annotations

from time import monotonic
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from executions import driver, worker
from executions.core import RunStatus
from executions.drain import drain
from executions.models import Execution, NodeRun
from tests.executions.runs import begin, numbers, outputs, reread, row, saves, statuses, story
from tests.fakes import Messages
from tests.nodes import counted
from workflows.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)


def names(messages: Messages) -> dict[str, int]:
    """How many messages of each kind were sent: `drive` and `run`."""
    return {name.removeprefix("executions.").removesuffix("_nodes"): sent for name, sent in messages.names().items()}


class TestStraightLine:
    def test_line_of_effects_is_one_message_and_one_commit_a_node(self, messages: Messages) -> None:
        """The outcome of a node and the claim of the next are one write; the first claim is a write of its own."""
        run = begin("start -> a -> b -> c", default="test.count")

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert (names(messages), saves(run)) == ({"drive": 1}, 3 + 1)
        assert counted(run.pk) == {"a": 1, "b": 1, "c": 1}

    def test_line_of_effects_tells_its_story_in_order(self, messages: Messages) -> None:
        run = begin("start -> a -> b", default="test.count")

        messages.deliver_all()

        assert story(run) == [
            "execution:started",
            "started start",
            "completed start",
            "started a",
            "completed a",
            "started b",
            "completed b",
            "execution:completed",
        ]

    def test_pure_nodes_are_one_commit_in_all(self, messages: Messages) -> None:
        run = begin(" -> ".join(["start", *(f"n{place}" for place in range(40))]))

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert (names(messages), saves(run)) == ({"drive": 1}, 1)

    def test_pure_nodes_ride_along_with_the_effects_between_them(self, messages: Messages) -> None:
        types = {"e1": "test.count", "e2": "test.count"}
        run = begin("start -> p1 -> e1 -> p2 -> p3 -> e2 -> p4", types={"start": "trigger", **types})

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert (names(messages), saves(run)) == ({"drive": 1}, 2 + 1)

    def test_second_delivery_changes_nothing(self, messages: Messages) -> None:
        run = begin("start -> a -> b", default="test.count")
        messages.deliver_all()
        told = saves(run), story(run), outputs(run)

        driver.drive(run.pk)

        assert (saves(run), story(run), outputs(run)) == told
        assert counted(run.pk) == {"a": 1, "b": 1}

    def test_drive_of_a_run_that_is_not_there_does_nothing(self) -> None:
        driver.drive(uuid7())

        assert not Execution.objects.exists()


class TestBranches:
    def test_fan_out_and_join_are_a_chord(self, messages: Messages) -> None:
        """A message for each branch and a body that folds them together; the join runs once, in the body's task."""
        run = begin("start -> a -> j, start -> b -> j, start -> c -> j", default="test.count")

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert (names(messages), saves(run)) == ({"drive": 2, "run": 3}, 3)
        assert counted(run.pk) == {"a": 1, "b": 1, "c": 1, "j": 1}

    def test_fan_out_of_pure_nodes_needs_no_message(self, messages: Messages) -> None:
        branches = ", ".join(f"start -> n{place} -> j" for place in range(30))
        run = begin(branches)

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert (names(messages), saves(run)) == ({"drive": 1}, 1)

    def test_fast_branch_does_not_wait_for_its_slow_sibling(self, messages: Messages) -> None:
        """Who records an outcome whose successor may be ready drives at once, and goes on with it in its own task."""
        run = begin("start -> slow -> j, start -> fast -> next -> j", default="test.count")
        messages.deliver(messages.waiting.pop(0))

        messages.deliver(message_of(messages, run, "fast"))

        assert statuses(run) == {
            "start": "completed",
            "slow": "ready",
            "fast": "completed",
            "next": "completed",
            "j": "pending",
        }
        messages.deliver_all()
        assert counted(run.pk) == {"slow": 1, "fast": 1, "next": 1, "j": 1}

    def test_branch_that_only_joins_leaves_the_fold_to_the_chord(self, messages: Messages) -> None:
        run = begin("start -> a -> j, start -> b -> j", default="test.count")
        messages.deliver(messages.waiting.pop(0))
        before = saves(run)

        messages.deliver(message_of(messages, run, "a"))

        assert saves(run) == before
        messages.deliver_all()
        assert reread(run).status == RunStatus.COMPLETED

    def test_watchers_see_a_wide_wave_move_before_it_is_over(self, messages: Messages, monkeypatch: Any) -> None:
        """A run that has not been folded for a while is folded by whoever records next."""
        monkeypatch.setattr("executions.hotpath.visits.FOLD_EVERY", -worker.hotpath.FOLD_EVERY)
        run = begin("start -> a -> j, start -> b -> j", default="test.count")
        messages.deliver(messages.waiting.pop(0))

        messages.deliver(message_of(messages, run, "a"))

        assert story(run)[-1] == "completed a"

    def test_cheap_nodes_share_messages(self, messages: Messages) -> None:
        branches = ", ".join(f"start -> n{place} -> j" for place in range(25))
        run = begin(branches, default="test.cheap")

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert names(messages) == {"drive": 2, "run": 3}
        assert counted(run.pk) == dict.fromkeys([*(f"n{place}" for place in range(25)), "j"], 1)

    def test_cheap_nodes_that_fit_one_message_are_driven_on(self, messages: Messages) -> None:
        """One message is no chord, so nobody else would fold what it ran."""
        run = begin("start -> a -> j, start -> b -> j", default="test.cheap")

        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert names(messages) == {"drive": 1, "run": 1}


class TestCap:
    def test_no_more_nodes_are_out_than_the_cap_allows(self, messages: Messages) -> None:
        branches = ", ".join(f"start -> n{place}" for place in range(5))
        run = begin(branches, default="test.count", settings={"maxConcurrentNodes": 2})
        most = 0

        while messages.waiting:
            messages.deliver(messages.waiting.pop(0))
            most = max(most, NodeRun.objects.filter(execution=run, status__in=["ready", "running"]).count())

        assert reread(run).status == RunStatus.COMPLETED
        assert most == 2
        assert counted(run.pk) == dict.fromkeys(["n0", "n1", "n2", "n3", "n4"], 1)

    def test_place_that_becomes_free_is_given_at_once(self, messages: Messages) -> None:
        """What waits under the cap must not wait for the rest of the wave that it was too many for."""
        branches = ", ".join(f"start -> n{place}" for place in range(3))
        run = begin(branches, default="test.count", settings={"maxConcurrentNodes": 2})
        messages.deliver(messages.waiting.pop(0))

        messages.deliver(message_of(messages, run, "n1"))

        assert statuses(run) == {"start": "completed", "n0": "ready", "n1": "completed", "n2": "completed"}


class TestGivingWay:
    def test_lane_that_is_not_served_here_is_sent_to(self, messages: Messages, settings: Settings) -> None:
        settings.FLOWMAESTRO_LANES = ["drive"]
        run = begin("start -> a -> b", default="test.count")

        messages.deliver(messages.waiting.pop(0))

        assert statuses(run) == {"start": "completed", "a": "ready", "b": "pending"}
        assert [message.options["queue"] for message in messages.waiting] == ["io"]

    def test_line_gives_way_after_its_time(self, messages: Messages) -> None:
        """One run cannot keep a worker for ever: the next node is sent, and anybody may take it."""
        run = begin("start -> a -> b", default="test.count")
        messages.lose_all()

        driver.drive(run.pk, until=monotonic() - 1)

        assert statuses(run) == {"start": "completed", "a": "ready", "b": "pending"}
        messages.deliver_all()
        assert counted(run.pk) == {"a": 1, "b": 1}

    def test_draining_worker_finishes_its_node_and_sends_the_next(
        self, messages: Messages, scripts: dict[str, Any]
    ) -> None:
        scripts["a"] = lambda node, lent: drain.begin() or worker.runner.NodeOutput(data={})
        run = begin("start -> a -> b", default="test.script")

        messages.deliver(messages.waiting.pop(0))

        assert statuses(run) == {"start": "completed", "a": "completed", "b": "ready"}
        assert names(messages) == {"drive": 1, "run": 1}

    def test_draining_worker_claims_nothing(self, messages: Messages) -> None:
        run = begin("start -> a -> j, start -> b -> j", default="test.count")
        messages.deliver(messages.waiting.pop(0))
        drain.begin()

        messages.deliver_all()

        assert statuses(run) == {"start": "completed", "a": "ready", "b": "ready", "j": "pending"}
        assert counted(run.pk) == {}


class TestValues:
    def test_node_reads_outputs_inputs_and_variables(self, messages: Messages) -> None:
        run = begin(
            "start -> set -> e -> p",
            types={"start": "trigger", "set": "setVariable", "e": "test.count"},
            nodes={
                "set": {"config": {"name": "level", "value": "{{inputs.who}}"}},
                "e": {"config": {"value": "{{var.level}}!"}},
                "p": {"config": {"value": {"said": "{{e.result}}", "to": "{{start.who}}"}}},
            },
            inputs={"who": "you"},
        )

        messages.deliver_all()

        assert reread(run).outputs == {"p": {"result": {"said": "you!", "to": "you"}}}

    @pytest.mark.parametrize("default", ["test.echo", "test.count"])
    def test_increments_of_concurrent_branches_add_up(self, messages: Messages, default: str) -> None:
        branches = ", ".join(f"start -> n{place} -> set{place} -> j" for place in range(4))
        config = {f"set{place}": {"config": {"name": "total", "increment": 10**place}} for place in range(4)}
        run = begin(
            branches,
            default=default,
            nodes={**config, "j": {"config": {"value": "{{var.total}}"}}},
            variables={"total": 5},
        )

        messages.deliver_all()

        assert outputs(run)["j"] == {"result": 1116}

    def test_wide_output_is_read_whole_by_who_refers_to_it(self, messages: Messages) -> None:
        """It does not travel with its outcome; it is read from its row."""
        wide = "w" * 100_000
        nodes = {"b": {"config": {"value": "{{a.result}}"}}, "a": {"config": {"value": wide}}}
        run = begin("start -> a -> b, start -> c", default="test.count", nodes=nodes)

        messages.deliver_all()

        assert reread(run).outputs == {"b": {"result": wide}, "c": {"result": "c"}}

    def test_handler_that_changes_what_it_was_given_changes_its_own_copy(
        self, messages: Messages, scripts: dict[str, Any]
    ) -> None:
        """Outputs, variables and inputs belong to the run: a node downstream sees them as they were made."""

        def spoil(node: Any, lent: Any) -> Any:
            node.config.value["list"].append("spoilt")
            node.config.value["made"]["result"].append("spoilt")
            node.config.value["inputs"]["list"].append("spoilt")
            return worker.runner.NodeOutput(data={})

        scripts["spoil"] = scripts["spoil2"] = spoil
        value = {"list": "{{var.list}}", "made": "{{made}}", "inputs": "{{inputs}}"}
        nodes = {"made": {"config": {"value": []}}} | {
            node: {"config": {"value": value}} for node in ("spoil", "spoil2", "last")
        }
        run = begin(
            "start -> made -> spoil -> spoil2 -> last",
            types={"start": "trigger", "spoil": "test.script", "spoil2": "test.pureScript"},
            nodes=nodes,
            variables={"list": []},
            inputs={"list": []},
        )

        messages.deliver_all()

        assert outputs(run)["last"] == {"result": {"list": [], "made": {"result": []}, "inputs": {"list": []}}}


def test_events_are_numbered_without_gaps(messages: Messages) -> None:
    run = begin("start -> a -> j, start -> b -> j, start -> if, if:true -> c -> j, if:false -> d", default="test.count")

    messages.deliver_all()

    assert numbers(run) == list(range(1, len(numbers(run)) + 1))
    assert story(run)[-1] == "execution:completed"
    assert sorted(story(run)) == sorted(
        ["execution:started", "execution:completed", "skipped d"]
        + [f"{kind} {node}" for kind in ("started", "completed") for node in ("start", "a", "b", "c", "if", "j")]
    )


def test_node_that_ran_is_the_row_of_its_run(messages: Messages) -> None:
    config = {"value": "{{start.n}}"}
    run = begin("start -> a", default="test.count", nodes={"a": {"config": config}}, inputs={"n": 7})

    messages.deliver_all()

    a = row(run, "a")
    assert (a.status, a.attempt, a.lost, a.folded, a.announced) == ("completed", 1, 0, True, True)
    assert (a.input, a.output) == ({"value": 7}, {"result": 7})
    assert run.created_at <= a.ready_at <= a.started_at <= a.ended_at


def message_of(messages: Messages, run: Execution, node_id: str) -> Any:
    """The waiting message that runs a node, taken out."""
    wanted = str(row(run, node_id).pk)
    place = next(place for place, message in enumerate(messages.waiting) if wanted in message.args[0])
    return messages.waiting.pop(place)
