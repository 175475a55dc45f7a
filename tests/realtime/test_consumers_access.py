from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import uuid4

import pytest

from executions import tickets
from realtime.rows import in_thread
from tests.factories import ApiKeyFactory
from tests.realtime.runs import Run
from tests.realtime.sockets import APPLICATION, Socket, opened


async def test_ticket_may_travel_as_a_sub_protocol(run: Run) -> None:
    """Addresses end up in logs; headers do not. A browser can send no other header."""
    offered = ["flowmaestro", tickets.issue(run.id, run.workspace_id)]
    async with opened(run, token=None, subprotocols=offered) as socket:
        frame = await socket.read()

    assert (socket.subprotocol, frame["type"]) == ("flowmaestro", "snapshot")


async def test_ticket_of_the_workspace_opens_each_of_its_runs(run: Run) -> None:
    """For a page that lists many."""
    async with opened(run, token=tickets.issue(None, run.workspace_id)) as socket:
        assert (await socket.read())["type"] == "snapshot"


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (lambda run: None, 4401),  # none
        (lambda run: "nonsense", 4401),  # not one of ours
        (lambda run: tickets.issue(run.id, run.workspace_id)[:-1] + "~", 4401),  # changed
        (lambda run: tickets.issue(run.id, run.workspace_id, seconds=-1), 4401),  # expired
        (lambda run: tickets.issue(uuid4(), run.workspace_id), 4403),  # for another run
        (lambda run: tickets.issue(None, uuid4()), 4404),  # of another workspace: no such run there
        (lambda run: tickets.issue(run.id, uuid4()), 4404),  # the same, for this run
    ],
)
async def test_socket_without_a_fitting_ticket_is_closed(
    run: Run, token: Callable[[Run], str | None], code: int
) -> None:
    """Opened first and closed with the reason: a refused handshake tells a browser nothing."""
    async with opened(run, token=token(run)) as socket:
        assert await socket.closed() == code


@pytest.mark.parametrize("execution", ["00000000-0000-4000-8000-000000000000", "no-id"])
async def test_socket_of_an_unknown_run_is_closed(run: Run, execution: str) -> None:
    """What is not there, and what cannot be there."""
    token = tickets.issue(None, run.workspace_id)
    socket = Socket(APPLICATION, f"/ws/executions/{execution}/?token={token}")
    await socket.connect()

    assert await socket.closed() == 4404


async def test_socket_ends_when_its_ticket_does(run: Run) -> None:
    """Nothing is told to a ticket that is over."""
    async with opened(run, token=tickets.issue(run.id, run.workspace_id, seconds=2)) as socket:
        await socket.read()
        await asyncio.sleep(2)
        await in_thread(run.begin)("first")

        assert await socket.closed() == 4401


async def test_renewed_ticket_keeps_the_socket_open(run: Run) -> None:
    """A page that stays open for hours never has to load again."""
    key = await in_thread(ApiKeyFactory)(workspace_id=run.workspace_id, workspace=None)
    old = tickets.issue(run.id, run.workspace_id, seconds=2, holder=key)
    async with opened(run, token=old) as socket:
        await socket.read()
        await socket.say(type="renew", token=old)
        answer = await socket.read()
        await asyncio.sleep(2)
        await in_thread(run.begin)("first")
        frame = await socket.read()

    fresh = tickets.check(answer["token"])
    assert (answer["type"], answer["expires_at"]) == ("token", fresh.expires_at.isoformat())
    assert frame["seq"] == 2


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (lambda run: "nonsense", 4401),
        (lambda run: tickets.issue(run.id, run.workspace_id), 4401),  # of nobody: there is none to ask whether they may
        (lambda run: tickets.issue(uuid4(), run.workspace_id), 4403),  # for another run
        (lambda run: tickets.issue(run.id, uuid4()), 4403),  # of another workspace
    ],
)
async def test_renewal_that_is_refused_ends_the_socket(run: Run, token: Callable[[Run], str], code: int) -> None:
    """A ticket that cannot be renewed is said so at once, not when it runs out."""
    async with opened(run) as socket:
        await socket.read()
        await socket.say(type="renew", token=token(run))

        assert await socket.closed() == code
