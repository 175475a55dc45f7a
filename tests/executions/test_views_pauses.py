from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from executions.core import RunStatus
from executions.models import Execution, Snapshot, Waitpoint
from handlers import PauseKind
from tests.doors import Api, data, error
from tests.executions.rows import NOON, over, run_of
from tests.executions.runs import begin, outputs, reread, row, story
from tests.factories import SnapshotFactory, WaitpointFactory, WorkspaceFactory
from tests.fakes import Messages

NUMBER = {"type": "number", "maximum": 100}


@pytest.fixture
def api(db: None) -> Api:
    return Api(WorkspaceFactory())


def asked(api: Api, **fields: Any) -> Waitpoint:
    run = fields.pop("execution", None) or run_of(api.workspace, status=RunStatus.PAUSED)
    return WaitpointFactory(execution=run, **fields)


def token(api: Api, **body: Any) -> Any:
    return data(api.post("/waitpoints", body), 201)


def resume(api: Api, waitpoint: Waitpoint, body: Any, **headers: str) -> Any:
    return api.post(f"/executions/{waitpoint.execution_id}/resume", body, **headers)


def stored(waitpoint: Waitpoint) -> Waitpoint:
    return Waitpoint.objects.get(pk=waitpoint.pk)


class TestResume:
    def test_answer_is_stored_before_it_is_confirmed(self, api: Api) -> None:
        """Its run goes on when somebody drives it."""
        waitpoint = asked(api, schema=NUMBER)

        told = data(resume(api, waitpoint, {"node_id": "ask", "input": 7}), 202)

        assert told == {
            "id": str(waitpoint.execution_id),
            "status": "paused",
            "waitpoint": {
                "waitpoint_id": str(waitpoint.pk),
                "execution_id": str(waitpoint.execution_id),
                "status": "completed",
            },
            "message": "The answer has been stored.",
        }
        assert stored(waitpoint).answer == 7

    @pytest.mark.parametrize("name", ["waitpoint_id", "node_id", None])
    def test_question_is_named_by_its_id_its_node_or_by_being_the_only_one(self, api: Api, name: str | None) -> None:
        """Whichever the caller has."""
        waitpoint = asked(api)
        names = {"waitpoint_id": str(waitpoint.pk), "node_id": "ask"}

        data(resume(api, waitpoint, {"input": 7} | ({name: names[name]} if name else {})), 202)

        assert stored(waitpoint).answer == 7

    def test_answer_that_does_not_fit_is_refused_with_all_that_is_wrong(self, api: Api) -> None:
        """And may be mended."""
        schema = {"type": "object", "required": ["a"], "properties": {"b": NUMBER}}
        waitpoint = asked(api, schema=schema)

        refused = error(resume(api, waitpoint, {"node_id": "ask", "input": {"b": 1000}}), 422, "invalid_answer")

        assert sorted(refused["details"]["errors"]) == ["a is missing.", "b must be at most 100."]
        assert stored(waitpoint).status == "open"
        data(resume(api, waitpoint, {"node_id": "ask", "input": {"a": 1}}), 202)

    def test_refused_answer_sent_again_with_its_key_is_refused_again(self, api: Api) -> None:
        """The same key, the same reply, whatever happened meanwhile; another answer needs another key."""
        waitpoint = asked(api, schema=NUMBER)

        first = error(resume(api, waitpoint, {"input": "x"}, Idempotency_Key="k1"), 422, "invalid_answer")
        error(resume(api, waitpoint, {"input": 5}, Idempotency_Key="k1"), 409, "idempotency_conflict")
        data(resume(api, waitpoint, {"input": 5}, Idempotency_Key="k2"), 202)
        again = error(resume(api, waitpoint, {"input": "x"}, Idempotency_Key="k1"), 422, "invalid_answer")

        assert again == first
        assert stored(waitpoint).answer == 5

    def test_conflict_is_not_kept_for_its_key(self, api: Api) -> None:
        """It had no effect, and a repeat may succeed."""
        waitpoint = asked(api)
        other = asked(api, execution=waitpoint.execution, node_id="other")

        error(resume(api, waitpoint, {"input": 5}, Idempotency_Key="k"), 409, "waitpoint_required")
        Waitpoint.objects.filter(pk=other.pk).update(status="withdrawn", closed_at=timezone.now())

        data(resume(api, waitpoint, {"input": 5}, Idempotency_Key="k"), 202)

    def test_answer_to_one_of_several_is_to_name_it(self, api: Api) -> None:
        """With what there is to name."""
        waitpoint = asked(api, scope="par[0]")
        other = asked(api, execution=waitpoint.execution, scope="par[1]")

        for body in ({"input": 7}, {"node_id": "ask", "input": 7}):
            refused = error(resume(api, waitpoint, body), 409, "waitpoint_required")
            assert refused["details"] == {
                "waitpoints": [
                    {"id": str(waitpoint.pk), "path": "par[0]/ask", "kind": "human"},
                    {"id": str(other.pk), "path": "par[1]/ask", "kind": "human"},
                ],
                "total": 2,
            }

    def test_question_that_is_not_there_is_a_404(self, api: Api) -> None:
        """By name as by id."""
        waitpoint, other = asked(api), asked(api)

        by_node = error(resume(api, waitpoint, {"node_id": "nobody"}), 404, "resource_not_found")
        by_id = error(resume(api, waitpoint, {"waitpoint_id": str(other.pk)}), 404, "resource_not_found")

        assert by_node["details"] == {"resource": "Waitpoint", "id": "nobody"}
        assert by_id["details"] == {"resource": "Waitpoint", "id": str(other.pk)}

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"status": "completed"}, "waitpoint_answered"),
            ({"status": "expired"}, "waitpoint_expired"),
            ({"status": "withdrawn"}, "waitpoint_withdrawn"),
            ({"kind": PauseKind.TIMER, "status": "open"}, "wrong_kind"),
            ({"kind": PauseKind.TOKEN, "status": "open"}, "wrong_kind"),
        ],
    )
    def test_question_that_takes_no_answer_says_why(self, api: Api, fields: Any, code: str) -> None:
        """By a code for programs, in a sentence for people."""
        waitpoint = asked(api, **fields, closed_at=timezone.now())

        refused = error(resume(api, waitpoint, {"node_id": "ask", "input": 7}), 409, code)

        assert refused["message"].startswith("ask ")

    def test_question_of_a_run_that_is_over_says_so(self, api: Api) -> None:
        """Whether it was answered or not."""
        run = run_of(api.workspace, **over(RunStatus.COMPLETED))
        waitpoint = asked(api, execution=run, status="completed", closed_at=timezone.now())

        error(resume(api, waitpoint, {"node_id": "ask", "input": 7}), 409, "run_ended")

    def test_callers_vote_once_each(self, api: Api) -> None:
        """Two keys are two callers, though they have one name."""
        waitpoint = asked(api, votes_needed=2, voters=3)

        first = data(resume(api, waitpoint, {"input": True}), 202)
        error(resume(api, waitpoint, {"input": False}), 409, "voted_already")
        second = data(resume(Api(api.workspace), waitpoint, {"input": True}), 202)

        assert (first["waitpoint"]["status"], second["waitpoint"]["status"]) == ("open", "completed")
        assert stored(waitpoint).answer is True

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"waitpoint_id": "x"}, "waitpoint_id"),
            ({"node_id": "ask", "waitpoint_id": "01900000-0000-7000-8000-000000000001"}, "node_id"),
            ({"inputs": 7}, "inputs"),
        ],
    )
    def test_body_that_makes_no_sense_is_refused(self, api: Api, body: Any, field: str) -> None:
        """Nothing in it is passed over."""
        refused = error(resume(api, asked(api), body), 400, "validation_error")

        assert [each["field"] for each in refused["details"]["fields"]] == [field]

    def test_run_that_nobody_paused_is_not_let_go(self, api: Api) -> None:
        """It says what it is, or what it waits for."""
        waitpoint = asked(api)
        pending = run_of(api.workspace)

        waiting = error(resume(api, waitpoint, {}), 409, "waitpoint_required")
        idle = error(api.post(f"/executions/{pending.pk}/resume", {}), 409, "not_paused")

        assert waiting["message"] == "Name what you answer, by its path: ask."
        assert idle["details"] == {"status": "pending"}


class TestSnapshots:
    def test_snapshots_listed_are_the_runs_newest_first(self, api: Api) -> None:
        """Without their states."""
        run = run_of(api.workspace)
        for seq in (3, 7):
            SnapshotFactory(execution=run, seq=seq, created_at=NOON)

        listed = data(api.get(f"/executions/{run.pk}/snapshots"))

        assert listed == [
            {"seq": 7, "version": 1, "created_at": "2026-05-04T12:00:00Z"},
            {"seq": 3, "version": 1, "created_at": "2026-05-04T12:00:00Z"},
        ]

    @pytest.mark.parametrize("number", [1, 3])
    def test_snapshots_listed_cost_the_same_however_many(
        self, api: Api, django_assert_num_queries: Any, number: int
    ) -> None:
        """The key, the run, the number of them, the page."""
        run = run_of(api.workspace)
        for seq in range(number):
            SnapshotFactory(execution=run, seq=seq)
        data(api.get(f"/executions/{run.pk}/snapshots"))

        with django_assert_num_queries(4) as queries:
            assert len(data(api.get(f"/executions/{run.pk}/snapshots"))) == number

        assert not any('"executions_snapshot"."state"' in query["sql"] for query in queries)

    def test_snapshot_has_the_state(self, api: Api) -> None:
        """By the number of its event."""
        run = run_of(api.workspace)
        SnapshotFactory(execution=run, seq=3, state={"status": "paused", "variables": {"a": 1}}, created_at=NOON)

        assert data(api.get(f"/executions/{run.pk}/snapshots/3")) == {
            "seq": 3,
            "version": 1,
            "created_at": "2026-05-04T12:00:00Z",
            "state": {"status": "paused", "variables": {"a": 1}},
        }
        for seq in (4, 10**17):
            missing = error(api.get(f"/executions/{run.pk}/snapshots/{seq}"), 404, "resource_not_found")
            assert missing["details"] == {"resource": "Snapshot", "id": str(seq)}


@pytest.mark.django_db(transaction=True)
class TestRun:
    """On the engine: what is asked of a run is done to it."""

    def begin(self, api: Api, drawing: str = "start -> h -> b", **more: Any) -> Execution:
        types = {"start": "trigger", "h": "test.ask", "sub": "subWorkflow", **more.pop("types", {})}
        return begin(drawing, types=types, workspace=api.workspace, **more)

    def test_run_is_paused_on_request_and_goes_on(self, api: Api, messages: Messages) -> None:
        """Asked again, it is answered alike."""
        run = self.begin(api, "start -> a -> b")
        path = f"/executions/{run.pk}"

        asked = [data(api.post(f"{path}/pause"), 202) for _ in range(2)]
        messages.deliver_all()
        paused = data(api.get(path))["status"]
        resumed = data(api.post(f"{path}/resume", {}), 202)
        messages.deliver_all()

        assert (
            asked
            == [
                {
                    "id": str(run.pk),
                    "status": "paused",
                    "message": "Execution starts nothing new until it is resumed.",
                }
            ]
            * 2
        )
        assert (paused, resumed["status"], resumed["waitpoint"]) == ("paused", "running", None)
        assert reread(run).status == RunStatus.COMPLETED
        assert error(api.post(f"{path}/pause"), 409, "not_pausable")["details"] == {"status": "completed"}
        assert error(api.post(f"{path}/resume"), 409, "not_paused")["details"] == {"status": "completed"}

    def test_answer_to_a_run_that_is_paused_on_request_is_kept(self, api: Api, messages: Messages) -> None:
        """With `input` it is an answer; without, the run goes on."""
        run = self.begin(api)
        messages.deliver_all()
        path = f"/executions/{run.pk}"
        data(api.post(f"{path}/pause"), 202)

        answered = data(api.post(f"{path}/resume", {"input": "yes"}), 202)
        messages.deliver_all()
        held = reread(run).status
        data(api.post(f"{path}/resume", {}), 202)
        messages.deliver_all()

        assert (answered["waitpoint"]["status"], held) == ("completed", RunStatus.PAUSED)
        assert (reread(run).status, outputs(run)["h"]["answer"]) == (RunStatus.COMPLETED, "yes")

    def test_large_answer_goes_the_way_of_large_outputs(self, api: Api, messages: Messages) -> None:
        """Ten megabytes are a body; the node's output is a blob, and nothing is cut."""
        run = self.begin(api, nodes={"b": {"config": {"value": "{{h.answer}}"}}})
        messages.deliver_all()
        large = "x" * 5_000_000

        data(api.post(f"/executions/{run.pk}/resume", {"input": large}), 202)
        messages.deliver_all()

        assert reread(run).status == RunStatus.COMPLETED
        assert (row(run, "h").output, row(run, "h").output_ref is not None) == (None, True)
        assert outputs(run)["b"]["result"] == large

    def test_run_tells_where_it_pauses(self, api: Api, messages: Messages) -> None:
        """A snapshot each time, on the version that it goes on with."""
        run = self.begin(api)
        messages.deliver_all()

        [snapshot] = data(api.get(f"/executions/{run.pk}/snapshots"))

        assert snapshot["seq"] == len(story(run)) == Snapshot.objects.get().seq
        state = data(api.get(f"/executions/{run.pk}/snapshots/{snapshot['seq']}"))["state"]
        assert state["status"] == "paused"

    def test_token_that_a_run_comes_to_wait_for_is_completed_for_it(self, api: Api, messages: Messages) -> None:
        """Also when what is waited for came first."""
        early, late = token(api)["id"], token(api)["id"]
        for key, in_time in ((early, True), (late, False)):
            run = self.begin(api, nodes={"h": {"config": {"kind": "token", "key": key}}})
            if in_time:
                data(api.post(f"/waitpoints/{key}/complete", {"input": key}), 202)
            messages.deliver_all()
            if not in_time:
                done = data(api.post(f"/waitpoints/{key}/complete", {"input": key}), 202)
                assert done["execution_id"] == str(run.pk)
                messages.deliver_all()

            assert (reread(run).status, outputs(run)["h"]["answer"]) == (RunStatus.COMPLETED, key)
