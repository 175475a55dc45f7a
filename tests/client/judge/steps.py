"""What users of the client do, a function each. It returns what was seen."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, get_args

from cases import PATIENCE_SECONDS, Case, answer, each
from shapes import Unexpected, check_execution, check_type, expect

import flowmaestro
from flowmaestro import types

SILENCE_SECONDS = 6.5  # the client hangs up after 5 without a sign of life (httpx's default)
PAUSE_SECONDS = 2.0
CANCEL_SECONDS = 3.0  # until who follows the run knows, on a machine that is busy


async def list_workflows(case: Case) -> str:
    listed = await answer(case.client.workflows.list(page=1, per_page=100))

    check_type(listed["pagination"], types.PaginationInfo, "pagination")
    check_type(listed["meta"], types.ResponseMeta, "meta")
    found = {workflow["id"]: workflow["name"] for workflow in listed["data"]}
    expect("all workflows are listed", {case.greeting, case.late, case.pausing} <= found.keys(), True)
    return f"{len(found)} of {listed['pagination']['total_count']}, {found[case.greeting]!r} among them"


async def walk_pages(case: Case) -> str:
    ids, page, more = [], 1, True
    while more:
        listed = await answer(case.client.workflows.list(page=page, per_page=1))
        ids += [workflow["id"] for workflow in listed["data"]]
        page, more = page + 1, listed["pagination"]["has_more"]

    expect("workflows over all pages", len(ids), listed["pagination"]["total_count"])
    expect("workflows that came twice", len(ids) - len(set(ids)), 0)
    return f"{len(ids)} workflows, one a page, none missing and none twice"


async def get_workflow(case: Case) -> str:
    workflow = (await answer(case.client.workflows.get(case.greeting)))["data"]

    check_type(workflow, types.Workflow, "workflow")
    wanted = {"type": "text", "label": "Name", "required": True, "description": "Whom to greet."}
    expect("its input", {name: workflow["inputs"]["who"][name] for name in wanted}, wanted)
    return f"{workflow['name']!r}, version {workflow['version']}, takes {workflow['inputs']['who']['name']!r}"


async def execute_and_wait(case: Case) -> str:
    execution = await case.end_of(await case.greet(name="Ada"))

    expect("status", execution["status"], "completed")
    expect("outputs", execution["outputs"], {"greeting": "Hello, Ada!"})
    expect("inputs", execution["inputs"], {"name": "Ada"})
    return f"{execution['status']} with {execution['outputs']}"


async def fail(case: Case) -> str:
    execution_id = await case.greet()
    execution = await case.end_of(execution_id)
    last = [event async for event in each(case.client.executions.stream(execution_id))][-1]

    expect("status", execution["status"], "failed")
    expect("last event", (last["type"], last["error"]), ("execution:failed", execution["error"]))
    return f"{execution['status']}: {execution['error']['message']}"


async def list_executions(case: Case) -> str:
    newest = await case.greet(name="Bo")
    await case.end_of(newest)

    listed = await answer(case.client.executions.list(workflow_id=case.greeting, status="completed", per_page=5))

    for execution in listed["data"]:
        check_execution(execution)
    expect("the newest", listed["data"][0]["id"], newest)
    seen = {(execution["workflow_id"], execution["status"]) for execution in listed["data"]}
    expect("what is listed", seen, {(case.greeting, "completed")})
    return f"{len(listed['data'])} of {listed['pagination']['total_count']} completed greetings, the newest first"


async def execute_once(case: Case) -> str:
    """The client has no parameter for the key of a request; headers of a client of its own are its way."""
    async with AsyncExitStack() as stack:
        client = await case.other(stack, headers={"Idempotency-Key": str(uuid.uuid4())})
        first, again = await case.greet(client, name="Cleo"), await case.greet(client, name="Cleo")
        refused = await refusal(flowmaestro.FlowMaestroError, lambda: case.greet(client, name="Dora"))

    expect("the run of the second request", again, first)
    expect("another request with the key", (refused.status_code, refused.code), (409, "idempotency_conflict"))
    return f"two requests, one run; another request with the key: {refused.status_code} {refused.code}"


async def stream_finished(case: Case) -> str:
    execution_id = await case.greet(name="Eve")
    await case.end_of(execution_id)

    events = await events_of(case, execution_id)

    expect_whole(events, "execution:completed")
    expect("outputs", events[-1]["outputs"], {"greeting": "Hello, Eve!"})
    return f"{len(events)} events of a run that was over: {told(events)}"


async def stream_live(case: Case) -> str:
    execution_id = await case.call_late(SILENCE_SECONDS)
    silence, before = 0.0, time.monotonic()
    events = []
    async for event in each(case.client.executions.stream(execution_id)):
        now = time.monotonic()
        silence, before = max(silence, now - before), now
        events.append(event)

    expect_whole(events, "execution:completed")
    expect("outputs", events[-1]["outputs"], {"told": "late"})
    expect("it was silent for more than 5 s", silence > 5, True)
    return f"{len(events)} events as they came, over {silence:.1f} s without any: {told(events)}"


async def wait_through_a_pause(case: Case) -> str:
    """The client knows no such status, and waits on."""
    execution_id = await case.pause(PAUSE_SECONDS)
    seen = "pending"
    while seen in {"pending", "running"}:
        seen = (await answer(case.client.executions.get(execution_id)))["data"]["status"]
    execution = await case.end_of(execution_id)

    expect("status before", seen, "paused")
    expect("status", execution["status"], "completed")
    expect("outputs", execution["outputs"], {"told": "rested"})
    return f"{seen}, then {execution['status']} with {execution['outputs']}"


async def stream_through_a_pause(case: Case) -> str:
    """Events that it has no name for come along with the others."""
    events = await events_of(case, await case.pause(PAUSE_SECONDS))

    expect_whole(events, "execution:completed")
    kinds = [event["type"] for event in events]
    pauses = [kind for kind in kinds if kind in {"node:waiting", "execution:paused", "execution:resumed"}]
    expect("pauses", pauses, ["node:waiting", "execution:paused", "execution:resumed"])
    return f"{len(events)} events: {told(events)}"


async def cancel_running(case: Case) -> str:
    execution_id = await case.call_late(PATIENCE_SECONDS)
    asked_at = 0.0
    events = []
    async for event in each(case.client.executions.stream(execution_id)):
        events.append(event)
        if event["type"] == "node:started" and event["node_id"] == "call":
            expect("status", (await answer(case.client.executions.get(execution_id)))["data"]["status"], "running")
            asked_at = time.monotonic()
            cancelled = (await answer(case.client.executions.cancel(execution_id)))["data"]
            expect("what cancel says", (cancelled["id"], cancelled["status"]), (execution_id, "cancelled"))
    seconds = time.monotonic() - asked_at

    expect_whole(events, "execution:cancelled")
    expect("status", (await case.end_of(execution_id))["status"], "cancelled")
    expect(f"its stream ended within {CANCEL_SECONDS} s", seconds < CANCEL_SECONDS, True)
    again = (await answer(case.client.executions.cancel(execution_id)))["data"]
    expect("what a second cancel says", again["status"], "cancelled")
    return f"cancelled while its call was open, its stream ended {seconds:.2f} s later; again: {again['status']}"


async def cancel_finished(case: Case) -> str:
    execution_id = await case.greet(name="Finn")
    await case.end_of(execution_id)

    return await refused_with(
        flowmaestro.ValidationError, "validation_error", lambda: case.client.executions.cancel(execution_id)
    )


async def ask_for_what_is_not_there(case: Case) -> str:
    workflows, executions, nobody = case.client.workflows, case.client.executions, str(uuid.uuid4())
    calls: list[Callable[[], Any]] = [
        lambda: workflows.get(nobody),
        lambda: workflows.get("nonsense"),
        lambda: workflows.execute(nobody),
        lambda: executions.get(nobody),
        lambda: executions.cancel(nobody),
    ]
    seen = [await refused_with(flowmaestro.NotFoundError, "resource_not_found", call) for call in calls]
    await refusal(flowmaestro.StreamError, lambda: events_of(case, nobody))
    return f"{len(seen)} times like {seen[0]}; a stream: StreamError"


async def come_with_a_bad_key(case: Case) -> str:
    async with AsyncExitStack() as stack:
        client = await case.other(stack, api_key="fm_live_" + "0" * 32)
        return await refused_with(flowmaestro.AuthenticationError, "invalid_api_key", client.workflows.list)


async def send_what_is_invalid(case: Case) -> str:
    calls: list[Callable[[], Any]] = [
        lambda: case.client.workflows.execute(case.greeting, inputs=["no", "object"]),
        lambda: case.client.executions.list(status="nonsense"),
    ]
    seen = [await refused_with(flowmaestro.ValidationError, "validation_error", call) for call in calls]
    return "; ".join(seen)


STEPS = [
    list_workflows,
    walk_pages,
    get_workflow,
    execute_and_wait,
    fail,
    list_executions,
    execute_once,
    stream_finished,
    stream_live,
    wait_through_a_pause,
    stream_through_a_pause,
    cancel_running,
    cancel_finished,
    ask_for_what_is_not_there,
    come_with_a_bad_key,
    send_what_is_invalid,
]


async def events_of(case: Case, execution_id: str) -> list[Any]:
    return [event async for event in each(case.client.executions.stream(execution_id))]


def told(events: list[Any]) -> str:
    return " ".join(":".join(filter(None, (event["type"], event.get("node_id")))) for event in events)


def expect_whole(events: list[Any], ending: str) -> None:
    """From the connection to the *ending*, numbered without gaps, each as the client describes it."""
    for event in events:
        described = {name: value for name, value in event.items() if name != "error"}  # as in check_execution
        if described.get("status") == "paused":  # the client has no such status, and passes it on
            described["status"] = "running"
        if event["type"] in get_args(types.ExecutionEventType):
            check_type(described, types.ExecutionEvent, event["type"])
    ends = events[0]["type"], events[1]["type"], events[-1]["type"]
    expect("beginning and end", ends, ("connected", "execution:started", ending))
    numbers = [event["seq"] for event in events[1:]]
    expect("numbers", numbers, list(range(1, len(events))))
    expect("status", events[-1]["status"], ending.removeprefix("execution:"))


async def refusal(kind: type[Exception], call: Callable[[], Any]) -> Any:
    """The error that *call* ends with, which is exactly a *kind*."""
    try:
        await answer(call())
    except flowmaestro.FlowMaestroError as error:
        if type(error) is not kind:
            raise
        return error
    raise Unexpected(f"no {kind.__name__}: it was answered")


async def refused_with(kind: type[Exception], code: str, call: Callable[[], Any]) -> str:
    error = await refusal(kind, call)
    expect("code", error.code, code)
    expect("the request can be found in a log", bool(error.request_id), True)
    return f"{kind.__name__} [{code}] {error.message}"
