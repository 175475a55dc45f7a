from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError

from executions import tickets
from executions.models import Execution
from realtime import board, run_list, seats, ticketed
from realtime import hub as hubs
from realtime.core import Window
from realtime.rows import in_thread
from tests.realtime.runs import Run
from tests.realtime.sockets import APPLICATION, Socket
from workflows.models import Workspace


@asynccontextmanager
async def watching(run: Run, *, named: str = "current", token: str | None = None) -> AsyncIterator[Socket]:
    """A socket of the workspace that *run* is in."""
    token = token or tickets.issue(None, run.workspace_id)
    socket = Socket(APPLICATION, f"/ws/workspaces/{named}/?token={token}")
    await socket.connect(timeout=5)
    yield socket
    await socket.disconnect()


async def until(socket: Socket, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first frame of that kind; those before it are read and dropped."""
    while not is_it(frame := await socket.read()):
        pass
    return frame


# ---- what is told


async def test_first_frame_has_the_newest_runs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a list shows them, newest first; those before them are in the API's list."""
    monkeypatch.setattr(run_list, "NEWEST", 2)
    workspace = await Workspace.objects.aget(pk=run.workspace_id)
    others = [await in_thread(Run)(workspace=workspace) for _ in range(2)]
    elsewhere = await in_thread(Run)()
    async with watching(run) as socket:
        frame = await socket.read()

    assert elsewhere.workspace_id != run.workspace_id
    assert (frame["type"], frame["workspace_id"]) == ("runs", str(run.workspace_id))
    assert [shown["id"] for shown in frame["runs"]] == [str(other.id) for other in reversed(others)]
    assert frame["runs"][0] == {
        "id": str(others[1].id),
        "seq": 1,
        "workflow_id": str(others[1].execution.workflow_id),
        "workflow_name": "Order triage",
        "version": 1,
        "status": "pending",
        "trigger": "api",
        "tags": [],
        "parent": None,
        "rerun_of": None,
        "pause": None,
        "waiting": 0,
        "progress": {"completed": 0, "total": 2},
        "error": None,
        "created_at": "2026-05-04T12:00:00+00:00",
        "started_at": None,
        "completed_at": None,
        "duration_ms": None,
    }


async def test_runs_that_begin_or_change_are_told_whole(run: Run) -> None:
    """Each as it is by then: what happened in between is for who opens the run."""
    async with watching(run) as socket:
        await socket.read()
        workspace = await Workspace.objects.aget(pk=run.workspace_id)
        new = await in_thread(Run)(workspace=workspace, name="Another")
        await in_thread(new.begin)("first")
        begun = await until(socket, lambda frame: frame["run"]["seq"] == 2)
        await in_thread(run.tell)("execution:failed", duration_ms=1000, error={"message": "No.", "code": "no"})
        ended = await until(socket, lambda frame: frame["run"]["id"] == str(run.id))

    told = {key: begun["run"][key] for key in ("id", "workflow_name", "status", "completed_at")}
    assert told == {"id": str(new.id), "workflow_name": "Another", "status": "running", "completed_at": None}
    told = {key: ended["run"][key] for key in ("status", "progress", "error", "completed_at")}
    assert told == {
        "status": "failed",
        "progress": {"completed": 2, "total": 2},
        "error": {"message": "No.", "code": "no"},
        "completed_at": "2026-05-04T12:00:02+00:00",
    }


async def test_many_changes_of_a_run_are_few_frames(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is looked at by people; the last frame has the last of it."""
    monkeypatch.setattr(board, "PACE", 0.5)
    async with watching(run) as socket:
        await socket.read()
        for _ in range(50):
            await in_thread(run.begin)("first")
        frames = [await socket.read()]
        while frames[-1]["run"]["seq"] < 51:
            frames.append(await socket.read())

    assert len(frames) < 10


async def test_changes_that_redis_lost_are_found_in_the_rows(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of runs that are known, and runs that are new; one that is deleted is told, too."""
    monkeypatch.setattr(hubs, "LOOK", 0.1)
    workspace = await Workspace.objects.aget(pk=run.workspace_id)
    deleted = await in_thread(Run)(workspace=workspace)
    async with watching(run) as socket:
        assert len((await socket.read())["runs"]) == 2
        new = await in_thread(Run)(workspace=workspace)  # its first event is told to nobody
        await in_thread(run.begin)("first", silent=True)
        await in_thread(Execution.objects.filter(pk=deleted.id).delete)()
        frames = [await socket.read() for _ in range(3)]

    gone = {"type": "run:gone", "execution_id": str(deleted.id)}
    assert {frame["run"]["id"]: frame["run"]["seq"] for frame in frames if frame != gone} == {
        str(new.id): 1,
        str(run.id): 2,
    }
    assert gone in frames


async def test_who_comes_back_is_told_all_again(run: Run) -> None:
    """There is nothing to resume: the first frame is whole."""
    async with watching(run) as socket:
        await socket.read()
    await in_thread(run.begin)("first", silent=True)
    async with watching(run) as socket:
        frame = await socket.read()

    assert [shown["seq"] for shown in frame["runs"]] == [2]


async def test_all_who_watch_are_told_the_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of rows that were read once."""
    reads = 0
    these = run_list.these

    async def counted(*args: Any) -> Any:
        nonlocal reads
        reads += 1
        return await these(*args)

    monkeypatch.setattr(run_list, "these", counted)
    async with watching(run) as one, watching(run) as other:
        await one.read()
        await other.read()
        await in_thread(run.begin)("first")
        frames = [await one.read(), await other.read()]

    assert frames[0] == frames[1]
    assert reads == 1


async def test_database_that_is_away_for_a_moment_loses_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be read is read at the next look."""
    monkeypatch.setattr(hubs, "LOOK", 0.1)
    these, failures = run_list.these, [DatabaseError("away"), DatabaseError("away")]

    async def unsteady(*args: Any) -> Any:
        if failures:
            raise failures.pop()
        return await these(*args)

    monkeypatch.setattr(run_list, "these", unsteady)
    async with watching(run) as socket:
        await socket.read()
        await in_thread(run.begin)("first")
        frame = await socket.read()

    assert (frame["run"]["seq"], failures) == (2, [])


async def test_ping_keeps_a_silent_socket_alive(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticketed, "PING", 0.1)
    async with watching(run) as socket:
        await socket.read()

        assert await socket.read() == {"type": "ping", "seq": 0}


# ---- how it ends


@pytest.mark.parametrize(
    ("named", "token", "code"),
    [
        ("current", lambda run: "nonsense", 4401),
        ("current", lambda run: tickets.issue(None, run.workspace_id, seconds=-1), 4401),
        ("current", lambda run: tickets.issue(run.id, run.workspace_id), 4403),  # of one run
        ("00000000-0000-4000-8000-000000000000", lambda run: tickets.issue(None, run.workspace_id), 4403),
        ("no-id", lambda run: tickets.issue(None, run.workspace_id), 4404),
        ("current", lambda run: tickets.issue(None, uuid4()), 4404),  # a workspace that is no more
    ],
)
async def test_socket_without_a_ticket_of_the_workspace_is_closed(
    run: Run, monkeypatch: pytest.MonkeyPatch, named: str, token: Callable[[Run], str], code: int
) -> None:
    monkeypatch.setattr(hubs, "LOOK", 0.1)
    async with watching(run, named=named, token=token(run)) as socket:
        assert await socket.closed() == code


async def test_socket_may_name_the_workspace_of_its_ticket(run: Run) -> None:
    async with watching(run, named=str(run.workspace_id)) as socket:
        assert (await socket.read())["type"] == "runs"


async def test_reader_that_does_not_keep_up_is_sent_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And told all again when it comes back."""
    monkeypatch.setattr(ticketed, "Window", lambda: Window(widest=10))
    monkeypatch.setattr(ticketed, "PATIENCE", 0.2)
    async with watching(run) as socket:
        assert await socket.closed() == 4408


async def test_bug_of_ours_ends_the_sockets_of_the_workspace(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They come back; a list that says nothing any more would be believed. Who comes then finds a new beginning."""

    async def broken(*args: Any) -> None:
        raise RuntimeError("a bug")

    async with watching(run) as socket:
        await socket.read()
        with monkeypatch.context() as patched:
            patched.setattr(run_list, "these", broken)
            await in_thread(run.begin)("first")
            code = await socket.closed()
        async with watching(run) as again:
            frame = await again.read()

    assert (code, [shown["seq"] for shown in frame["runs"]]) == (1011, [2])
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == ["realtime.board"]


async def test_workspace_that_nobody_watches_any_more_leaves_nothing_behind(run: Run) -> None:
    async with watching(run) as one, watching(run) as other:
        await one.read()
        await other.read()
    await asyncio.sleep(0)

    assert [task.get_coro().__qualname__ for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    assert (seats.seats.taken, board.boards()._boards) == (0, {})


def test_runs_beyond_those_kept_are_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    """A workspace of a million runs is no million in memory."""
    monkeypatch.setattr(board, "MOST_KEPT", 2)
    kept = object.__new__(board.Board)
    kept._runs = {}
    runs = [
        run_list.Listed(id=uuid4(), seq=1, created_at=datetime(2026, 5, day, tzinfo=UTC), shown={}) for day in (3, 1, 2)
    ]

    told = kept._keep(runs)

    assert told == [runs[1], runs[2], runs[0]]
    assert [*kept._runs] == [runs[2].id, runs[0].id]
