from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from executions.core import RunStatus
from executions.models import Vote, Waitpoint
from executions.waitpoints.serializers import LONGEST_PAYLOAD
from handlers import PauseKind
from tests.doors import Api, data, error
from tests.executions.rows import NOON, run_of
from tests.factories import VoteFactory, WaitpointFactory, WorkspaceFactory

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


class TestList:
    def test_waitpoints_listed_are_the_workspaces_newest_first(self, api: Api) -> None:
        """With what is asked; not with what was answered, which may be megabytes."""
        votes = asked(api, votes_needed=2, voters=3, prompt="Buy?", schema=NUMBER, scope="loop[0]", created_at=NOON)
        VoteFactory(waitpoint=votes)
        VoteFactory(waitpoint=votes, value=False)
        event = asked(api, kind=PauseKind.EVENT, key="order.paid", matches={"id": 7}, due_at=NOON)
        WaitpointFactory()

        listed = data(api.get("/waitpoints"))

        assert [waitpoint["id"] for waitpoint in listed] == [str(event.pk), str(votes.pk)]
        assert listed[1] == {
            "id": str(votes.pk),
            "execution_id": str(votes.execution_id),
            "node_id": "ask",
            "scope": "loop[0]",
            "path": "loop[0]/ask",
            "kind": "human",
            "status": "open",
            "prompt": "Buy?",
            "schema": NUMBER,
            "form": {},
            "votes": {"needed": 2, "voters": 3, "yes": 1, "no": 1},
            "event": None,
            "wakes_at": None,
            "expires_at": None,
            "answered_by": None,
            "created_at": "2026-05-04T12:00:00Z",
            "closed_at": None,
        }
        assert (listed[0]["event"], listed[0]["votes"]) == ({"type": "order.paid", "matches": {"id": 7}}, None)
        assert (listed[0]["expires_at"], listed[0]["wakes_at"]) == ("2026-05-04T12:00:00Z", None)

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"status": "open"}, ["timer", "ask"]),
            ({"status": "completed"}, ["done"]),
            ({"kind": "timer"}, ["timer"]),
            ({"status": "completed", "kind": "timer"}, []),
        ],
    )
    def test_waitpoints_listed_are_those_that_were_asked_for(self, api: Api, query: Any, found: list[str]) -> None:
        """By status and kind."""
        run = asked(api).execution
        asked(api, execution=run, node_id="done", status="completed", closed_at=timezone.now())
        asked(api, execution=run, node_id="timer", kind=PauseKind.TIMER, due_at=NOON)

        listed = data(api.get("/waitpoints", query))

        assert [waitpoint["node_id"] for waitpoint in listed] == found

    def test_waitpoints_listed_are_those_of_a_run(self, api: Api) -> None:
        """Of one, not of those that it started."""
        ours = asked(api)
        asked(api)

        listed = data(api.get("/waitpoints", {"execution_id": str(ours.execution_id)}))

        assert [waitpoint["id"] for waitpoint in listed] == [str(ours.pk)]

    @pytest.mark.parametrize("number", [1, 3])
    def test_waitpoints_listed_cost_the_same_however_many(
        self, api: Api, django_assert_num_queries: Any, number: int
    ) -> None:
        """The key, the number of them, the page; and none of their answers."""
        for _ in range(number):
            VoteFactory(waitpoint=asked(api, votes_needed=1, voters=2))
        data(api.get("/waitpoints"))

        with django_assert_num_queries(3) as queries:
            listed = data(api.get("/waitpoints"))

        assert len(listed) == number
        assert not any('"answer"' in query["sql"] for query in queries)


class TestRetrieve:
    def test_waitpoint_has_its_answer_and_its_address(self, api: Api) -> None:
        """The one until the other."""
        waitpoint = asked(api)
        path = f"/waitpoints/{waitpoint.pk}"

        before = data(api.get(path))
        data(resume(api, waitpoint, {"input": {"amount": 7}}), 202)
        after = data(api.get(path))

        assert before["public_url"].startswith("http://testserver/p/")
        assert (before["answer"], before["status"]) == (None, "open")
        assert (after["answer"], after["status"], after["public_url"]) == ({"amount": 7}, "completed", None)
        assert after["answered_by"] == f"API key 'key' ({api.key.prefix}…)"

    def test_address_is_not_told_to_who_may_not_answer(self, api: Api) -> None:
        """It would be a way round the scope."""
        waitpoint = asked(api)
        reader = Api(api.workspace, scopes=["executions:read"])

        assert data(reader.get(f"/waitpoints/{waitpoint.pk}"))["public_url"] is None


class TestToken:
    def test_token_is_made_and_completed_by_whoever_has_its_address(self, api: Api) -> None:
        """With neither key nor session."""
        made = token(api, prompt="Payment", schema=NUMBER, expires_in=3600)

        assert (made["kind"], made["status"], made["prompt"], made["schema"]) == ("token", "open", "Payment", NUMBER)
        assert (made["execution_id"], made["node_id"], made["path"]) == (None, None, None)
        path = made["public_url"].removeprefix("http://testserver")
        done = data(Client().post(path, b"7", content_type="application/json"), 202)
        assert done == {"waitpoint_id": made["id"], "execution_id": None, "status": "completed"}

    def test_token_expires_when_its_maker_says(self, api: Api) -> None:
        """In seconds from now; else never."""
        made = Waitpoint.objects.get(pk=token(api, expires_in=3600)["id"])

        assert made.due_at == made.created_at + timedelta(hours=1)
        assert token(api)["expires_at"] is None

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"schema": {"type": "nonsense"}}, "schema"),
            ({"schema": {"pattern": "(?=x)"}}, "schema"),
            ({"schema": []}, "schema"),
            ({"expires_in": 0}, "expires_in"),
            ({"expires_in": 10**12}, "expires_in"),
            ({"promt": "x"}, "promt"),
        ],
    )
    def test_token_that_could_not_be_completed_is_refused(self, api: Api, body: Any, field: str) -> None:
        """When it is made, not when somebody answers."""
        refused = error(api.post("/waitpoints", body), 400, "validation_error")

        assert [each["field"] for each in refused["details"]["fields"]] == [field]
        assert not Waitpoint.objects.exists()

    def test_token_made_again_with_its_key_is_the_same(self, api: Api) -> None:
        """As everything that is made."""
        first = data(api.post("/waitpoints", {}, Idempotency_Key="k"), 201)

        assert data(api.post("/waitpoints", {}, Idempotency_Key="k"), 201) == first
        assert Waitpoint.objects.count() == 1

    def test_token_is_completed_by_who_may(self, api: Api) -> None:
        """Once; and again with its key, for the same answer."""
        path = f"/waitpoints/{token(api, schema=NUMBER)['id']}/complete"

        refused = error(api.post(path, {"input": "7"}, Idempotency_Key="k1"), 422, "invalid_answer")
        done = data(api.post(path, {"input": 7}, Idempotency_Key="k2"), 202)
        again = data(api.post(path, {"input": 7}, Idempotency_Key="k2"), 202)
        late = error(api.post(path, {"input": 8}), 409, "waitpoint_answered")

        assert refused["details"] == {"errors": ["The answer must be a number, not text."]}
        assert done == again
        assert late["message"] == "The token takes no answer: it has been answered already."
        assert Waitpoint.objects.get().answer == 7

    @pytest.mark.parametrize("kind", [PauseKind.HUMAN, PauseKind.TIMER, PauseKind.EVENT])
    def test_what_is_no_token_is_not_completed(self, api: Api, kind: PauseKind) -> None:
        """Kinds have doors of their own."""
        waitpoint = asked(api, kind=kind)

        refused = error(api.post(f"/waitpoints/{waitpoint.pk}/complete", {}), 409, "wrong_kind")

        assert refused["details"] == {"waitpoint_id": str(waitpoint.pk), "kind": kind, "status": "open"}
        assert stored(waitpoint).status == "open"


class TestLinks:
    def test_voters_are_given_a_link_each(self, api: Api) -> None:
        """And nobody else: its holder could vote for all."""
        waitpoint = asked(api, votes_needed=1, voters=2, due_at=NOON.replace(year=2099))
        path = f"/waitpoints/{waitpoint.pk}/links"

        refused = error(api.post(path, {}), 400, "validation_error")
        link = data(api.post(path, {"voter": "Ada"}), 201)
        Client().post(link["url"], b"true", content_type="application/json")

        assert refused["details"]["fields"][0]["field"] == "voter"
        assert {name: link[name] for name in ("waitpoint_id", "voter", "expires_at")} == {
            "waitpoint_id": str(waitpoint.pk),
            "voter": "Ada",
            "expires_at": "2099-05-04T12:00:00Z",
        }
        assert list(Vote.objects.values_list("voter", "value")) == [("Ada", True)]
        assert data(api.get(f"/waitpoints/{waitpoint.pk}"))["public_url"] is None

    def test_link_names_who_answers_where_one_decides(self, api: Api) -> None:
        """So that people can see later who it was."""
        waitpoint = asked(api)

        link = data(api.post(f"/waitpoints/{waitpoint.pk}/links", {"voter": "Ada"}), 201)
        Client().post(link["url"], b"7", content_type="application/json")

        assert stored(waitpoint).answered_by == "Ada"

    def test_link_to_what_takes_no_answer_is_refused(self, api: Api) -> None:
        """It would lead nowhere."""
        timer = asked(api, kind=PauseKind.TIMER)
        closed = asked(api, status="expired", closed_at=timezone.now())

        error(api.post(f"/waitpoints/{timer.pk}/links", {}), 409, "wrong_kind")
        error(api.post(f"/waitpoints/{closed.pk}/links", {}), 409, "waitpoint_expired")


class TestEvents:
    def paid(self, api: Api, **fields: Any) -> Waitpoint:
        return asked(api, kind=PauseKind.EVENT, key="order.paid", **fields)

    def test_event_completes_what_waits_for_it(self, api: Api) -> None:
        """And says how much that was."""
        waitpoint = self.paid(api, matches={"order.id": 7})
        self.paid(api, matches={"order.id": 8})

        told = data(api.post("/events", {"type": "order.paid", "payload": {"order": {"id": 7}}}), 202)

        assert told == {"type": "order.paid", "id": None, "waitpoints_completed": 1}
        assert stored(waitpoint).answer == {"order": {"id": 7}}

    def test_event_that_is_sent_twice_has_one_effect(self, api: Api) -> None:
        """By its id, and with the same answer; another event of that id is told apart."""
        first = self.paid(api)
        event = {"type": "order.paid", "payload": {"n": 1}, "id": "e1"}

        told = data(api.post("/events", event), 202)
        second = self.paid(api)
        again = data(api.post("/events", event), 202)
        error(api.post("/events", {**event, "payload": {"n": 2}}), 409, "idempotency_conflict")

        assert told == again == {"type": "order.paid", "id": "e1", "waitpoints_completed": 1}
        assert (stored(first).status, stored(second).status) == ("completed", "open")
        assert stored(first).answered_by == "event e1"

    def test_id_of_an_event_is_no_idempotency_key(self, api: Api) -> None:
        """What is sent under the one does not meet what is sent under the other."""
        data(api.post("/waitpoints", {}, Idempotency_Key="e1"), 201)

        data(api.post("/events", {"type": "x", "id": "e1"}, Idempotency_Key="event e1"), 202)
        data(api.post("/events", {"type": "x", "id": "e1"}, Idempotency_Key="event e1"), 202)

    def test_event_that_is_too_large_is_refused(self, api: Api) -> None:
        """Every run that waits for it would keep a copy."""
        small, large = "x" * (LONGEST_PAYLOAD - 2), "x" * LONGEST_PAYLOAD

        data(api.post("/events", {"type": "order.paid", "payload": small}), 202)
        refused = error(api.post("/events", {"type": "order.paid", "payload": large}), 400, "validation_error")

        assert refused["details"]["fields"][0]["field"] == "payload"

    def test_event_wants_a_type(self, api: Api) -> None:
        """Nothing waits for an event of none."""
        refused = error(api.post("/events", {"payload": {}}), 400, "validation_error")

        assert refused["details"]["fields"][0]["field"] == "type"
