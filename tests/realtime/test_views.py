from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient, Client
from pytest_django.fixtures import Settings

from executions import blobs, tickets
from executions.core import Parts
from executions.metadata import write_entry
from executions.models import Execution, NodeRun
from realtime import seats, sse
from realtime.publisher import publisher
from realtime.rows import in_thread
from tests.doors import Api, data, error
from tests.factories import MemberFactory
from tests.realtime.runs import Run, a_user
from workflows.models import Workspace
from workflows.workspaces.roles import Role


@pytest.fixture
def api(run: Run) -> Api:
    return Api(Workspace.objects.get(pk=run.workspace_id))


# ---- pages of events


def test_events_are_paged_by_number(run: Run, api: Api) -> None:
    """A client that polls: after the last number it has, until there is no more."""
    told = [run.begin("first", silent=True), run.finish("first", {"text": "Hi"}, silent=True)]
    run.complete(silent=True)

    first = data(api.get(f"/executions/{run.id}/events", {"after": 1, "limit": 2}))
    second = data(api.get(f"/executions/{run.id}/events", {"after": first["next_after"], "limit": 2}))

    assert first == {"events": told, "status": "completed", "next_after": 3, "has_more": True}
    assert ([event["seq"] for event in second["events"]], second["has_more"]) == ([4], False)


def test_events_of_a_run_without_newer_ones_are_none(run: Run, api: Api) -> None:
    """Asking early costs nothing and loses nothing."""
    page = data(api.get(f"/executions/{run.id}/events", {"after": 1}))

    assert page == {"events": [], "status": "pending", "next_after": 1, "has_more": False}


@pytest.mark.parametrize(
    "query",
    [{"after": "last"}, {"after": -1}, {"limit": 0}, {"limit": 501}, {"after": 2**63}],
)
def test_events_with_a_number_that_is_none_are_refused(run: Run, api: Api, query: dict[str, Any]) -> None:
    """A client that lost count must not be told that it missed nothing."""
    answer = error(api.get(f"/executions/{run.id}/events", query), 400, "validation_error")

    assert [field["field"] for field in answer["details"]["fields"]] == list(query)


@pytest.mark.parametrize("path", ["events", "ticket"])
def test_run_of_another_workspace_is_not_found(run: Run, path: str) -> None:
    """Somebody else's run is a 404, streamed or not."""
    stranger = Api(MemberFactory().workspace)

    send = stranger.post if path == "ticket" else stranger.get
    answer = send(f"/executions/{run.id}/{path}")

    error(answer, 404, "resource_not_found")


def test_events_without_a_key_are_refused(run: Run) -> None:
    """The same doors, the same locks: the stream has no way around them, and says no in JSON."""
    headers = {"Accept": "text/event-stream"}

    answer = Client().get(f"/api/v1/executions/{run.id}/events", headers=headers)

    assert answer.headers["Content-Type"] == "application/json"
    error(answer, 401, "invalid_api_key")


def test_events_want_the_scope_to_read_runs(run: Run) -> None:
    """A key for workflows is none for runs."""
    narrow = Api(Workspace.objects.get(pk=run.workspace_id), scopes=["workflows:read"])

    error(narrow.get(f"/executions/{run.id}/events", Accept="text/event-stream"), 403, "insufficient_scope")


# ---- tickets


def test_ticket_opens_the_run_for_whoever_it_was_made_for(run: Run, api: Api) -> None:
    """For a browser that must not see the key: the socket and the page, in one answer."""
    made = data(api.post(f"/executions/{run.id}/ticket"), 201)

    ticket = tickets.check(made["token"])
    assert ticket.opens(run.id, run.workspace_id)
    assert ticket.holder == f"key:{api.key.pk}"
    assert made == {
        "execution_id": str(run.id),
        "token": made["token"],
        "expires_at": ticket.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "websocket_url": f"ws://testserver/ws/executions/{run.id}/",
        "live_url": f"http://testserver/executions/{run.id}/live?token={made['token']}",
    }


def test_ticket_is_for_people_with_a_session_too(run: Run) -> None:
    """Who is logged in is asked for the token of their page, as for every change."""
    person = MemberFactory(workspace_id=run.workspace_id, workspace=None, user=a_user(), role=Role.VIEWER).user
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)

    address, json = f"/api/v1/executions/{run.id}/ticket", "application/json"
    refused = client.post(address, content_type=json)
    client.cookies["csrftoken"] = "a" * 32
    made = client.post(address, content_type=json, headers={"X-CSRFToken": "a" * 32})

    error(refused, 403, "csrf_failed")
    assert tickets.check(data(made, 201)["token"]).holder == f"user:{person.pk}"


# ---- the stream


class Stream:
    """A client of server-sent events."""

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        self._content, self._text = content, ""

    async def next(self) -> dict[str, str]:
        """The fields of the next event or comment (whose name is empty)."""
        async with asyncio.timeout(5):
            while "\n\n" not in self._text:
                self._text += (await anext(self._content)).decode()
        block, _, self._text = self._text.partition("\n\n")
        return dict(line.split(": ", 1) for line in block.split("\n"))

    async def event(self) -> dict[str, str]:
        """The next event, comments and the reconnection time left out."""
        while "data" not in (block := await self.next()):
            pass
        return block

    async def rest(self) -> list[dict[str, str]]:
        events = []
        try:
            while True:
                events.append(await self.event())
        except StopAsyncIteration:
            return events


async def asked(run: Run, api: Api, query: Any = None, **headers: str) -> Any:
    """The answer to somebody who wants a stream."""
    named = {"Authorization": f"Bearer {api.text}", "Accept": "text/event-stream", **headers}
    try:
        return await AsyncClient().get(f"/api/v1/executions/{run.id}/events", query_params=query, headers=named)
    finally:
        await sync_to_async(connections.close_all)()  # the test client does not end requests as a server does


@asynccontextmanager
async def streaming(run: Run, api: Api, query: Any = None, **headers: str) -> AsyncIterator[Stream]:
    answer = await asked(run, api, query, **headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    yield Stream(aiter(answer.streaming_content))
    await answer._iterator.aclose()  # what Django wraps around it leaves that to chance


def told(event: dict[str, str]) -> Any:
    return json.loads(event["data"])


async def test_stream_says_that_it_is_connected_then_everything_as_it_comes(run: Run, api: Api) -> None:
    """Past and present in one sequence; the number is the id, the type is the event, both are in the data."""
    async with streaming(run, api) as stream:
        connected, first = await stream.event(), await stream.event()
        frame = await in_thread(run.begin)("first")
        second = await stream.event()

    assert connected["event"] == "connected"
    assert told(connected) == {"type": "connected", "execution_id": str(run.id), "status": "pending"}
    assert (first["id"], first["event"]) == ("1", "execution:started")
    assert (second["id"], second["event"], told(second)) == ("2", "node:started", frame)


async def test_stream_ends_with_the_run_whose_end_it_tells_in_full(run: Run, api: Api) -> None:
    """What the published client reads off the last event: the run's state beside the event's own fields."""
    async with streaming(run, api) as stream:
        frame = await in_thread(run.complete)({"answer": 42})
        events = await stream.rest()

    ending = {
        "status": "completed",
        "outputs": {"answer": 42},
        "outputs_omitted": None,
        "error": None,
        "completed_at": frame["timestamp"],
    }
    assert (events[-1]["event"], told(events[-1])) == ("execution:completed", {**frame, **ending})


@pytest.mark.parametrize("limit", [300_001, 299_999])
async def test_stream_ends_with_outputs_from_blob_storage_or_their_size(
    run: Run, api: Api, settings: Settings, limit: int
) -> None:
    """All of them, as from the REST API, up to what a single answer holds."""
    settings.FLOWMAESTRO_MAX_OUTPUT_BYTES = limit
    text = '"' + "x" * 299_998 + '"'

    def complete() -> None:
        run.begin("first")
        run.finish("first", None)
        blob = blobs.put(text, workspace_id=run.workspace_id, execution_id=run.id)
        parts = Parts(nodes=("first",), named=False, characters=300_000, bytes=300_000)
        NodeRun.objects.filter(execution=run.id).update(output=None, output_ref=blob.dump())
        run.complete({})
        Execution.objects.filter(pk=run.id).update(outputs=None, outputs_ref=parts.dump())

    await in_thread(complete)()
    async with streaming(run, api) as stream:
        *_, last = await stream.rest()

    whole = {"first": "x" * 299_998}
    ending = (told(last)["outputs"], told(last)["outputs_omitted"])
    assert ending == ((whole, None) if limit > 300_000 else (None, 300_000))
    assert told(last)["data"]["outputs_omitted"] == 300_000


async def test_stream_of_a_failed_run_tells_the_error(run: Run, api: Api) -> None:
    """Alike when it went wrong, and long ago."""
    failure = {"message": "boom", "code": "error", "node_id": "first"}
    await in_thread(run.tell)("execution:failed", error=failure, duration_ms=1, silent=True)

    async with streaming(run, api) as stream:
        events = await stream.rest()

    last = told(events[-1])
    assert [event["event"] for event in events] == ["connected", "execution:started", "execution:failed"]
    assert (last["status"], last["error"], last["outputs"]) == ("failed", failure, None)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({"after": 2}, {}),
        ({}, {"Last-Event-ID": "2"}),
        ({"after": 0}, {"Last-Event-ID": "2"}),  # a browser that comes back to the address it knows
    ],
)
async def test_stream_is_resumed_from_the_last_number(
    run: Run, api: Api, query: dict[str, int], headers: dict[str, str]
) -> None:
    """None missing, none twice, over as many connections as it takes."""
    await in_thread(run.begin)("first")
    await in_thread(run.complete)()

    async with streaming(run, api, query, **headers) as stream:
        events = await stream.rest()

    assert [event.get("id") for event in events] == [None, "3"]


async def test_browser_that_has_everything_is_told_to_stop_reconnecting(run: Run, api: Api) -> None:
    """A browser comes back whenever a stream ends, for ever, unless it is answered 204. Source: HTML Standard, 9.2.3."""
    await in_thread(run.complete)()

    answer = await asked(run, api, **{"Last-Event-ID": "2"})

    assert (answer.status_code, answer.content) == (204, b"")


async def test_last_event_id_that_is_no_number_is_refused(run: Run, api: Api) -> None:
    """Of another service, or of a mistake."""
    answer = await asked(run, api, **{"Last-Event-ID": "abc-2"})

    assert error(answer, 400, "validation_error")["details"]["fields"][0]["field"] == "Last-Event-ID"


async def test_stream_tells_tokens_from_their_beginning(run: Run, api: Api) -> None:
    """Who comes in the middle of a text is given all of it, without a number: tokens are not resumed by it."""
    run.stream("first", 0, "Once upon ")
    await in_thread(publisher.flush)()
    async with streaming(run, api) as stream:
        for _ in range(2):
            await stream.event()
        run.stream("first", 10, "a time")
        event = await stream.event()

    assert (event["event"], event.get("id")) == ("node:token", None)
    assert told(event) == {"type": "node:token", "stream": "first/", "offset": 0, "text": "Once upon a time"}


async def test_quiet_stream_gives_signs_of_life(run: Run, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published client gives up after five seconds without a byte."""
    monkeypatch.setattr(sse, "BEAT", 0.1)
    async with streaming(run, api) as stream:
        for _ in range(2):
            await stream.event()
        blocks = [await stream.next() for _ in range(2)]

    assert blocks == [{"": "still here"}] * 2


def test_signs_of_life_come_often_enough() -> None:
    """At least every three seconds, with room for a slow moment of ours."""
    assert sse.BEAT <= 3


async def test_stream_beyond_the_limit_is_refused(run: Run, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it begins, with a status that clients understand."""
    monkeypatch.setattr(seats, "MOST_OF_A_WORKSPACE", 0)

    answer = await asked(run, api)

    assert answer.headers["Retry-After"] == "5"
    error(answer, 429, "too_many_listeners")


async def test_reader_of_a_stream_that_leaves_gives_its_seat_back(run: Run, api: Api) -> None:
    """A closed tab costs nothing."""
    async with streaming(run, api) as stream:
        reading = asyncio.create_task(stream.rest())
        await asyncio.sleep(0.2)
        during = seats.seats.taken
        reading.cancel()  # as Django does when the connection is gone
        await asyncio.gather(reading, return_exceptions=True)

    assert (during, seats.seats.taken) == (1, 0)


def test_unknown_run_is_not_found(api: Api) -> None:
    """What is no id is no run either."""
    for pk in (uuid4(), "no-id"):
        error(api.get(f"/executions/{pk}/events"), 404, "resource_not_found")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    publisher.flush()


async def test_stream_tells_what_nodes_say_of_their_run(run: Run, api: Api) -> None:
    """Without a number, and with its type in the data, where clients look for it."""
    async with streaming(run, api) as stream:
        for _ in range(2):
            await stream.event()
        await in_thread(write_entry)(run.id, "rows", "7")
        event = await stream.event()

    assert (event["event"], event.get("id")) == ("execution:metadata", None)
    assert told(event) == {"type": "execution:metadata", "key": "rows", "value": 7, "revision": 1}
