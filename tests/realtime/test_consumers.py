from __future__ import annotations

import asyncio
from typing import Any

import pytest

from executions import signals
from executions.metadata import write_entry
from executions.models import Execution
from realtime import consumers, seats, ticketed
from realtime import hub as hubs
from realtime.core import Window
from realtime.publisher import publisher
from realtime.rows import in_thread
from tests.realtime.runs import Run
from tests.realtime.sockets import opened


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ticketed, "LINGER", 0.05)


# ---- what is told


async def test_first_frame_is_a_snapshot_of_the_run(run: Run) -> None:
    """Where the run stands, as of one number: what a page needs to draw itself."""
    await in_thread(run.begin)("first")

    async with opened(run) as socket:
        frame = await socket.read()

    node = {
        "scope": "",
        "type": "test.echo",
        "handled": False,
        "kept": False,
        "port": None,
        "error": None,
        "usage": None,
        "ended_at": None,
        "duration_ms": None,
        "due_at": None,
        "parent": None,
        "visits": None,
        "progress": None,
    }
    assert frame == {
        "type": "snapshot",
        "seq": 2,
        "execution_id": str(run.id),
        "status": "running",
        "pause": None,
        "paused_ms": 0,
        "waitpoints": [],
        "nodes": [
            {
                "node_id": "first",
                "name": "First",
                "status": "running",
                "attempt": 1,
                "started_at": "2026-05-04T12:00:02+00:00",
                **node,
            },
            {"node_id": "second", "name": "Second", "status": "pending", "attempt": 0, "started_at": None, **node},
        ],
        "streams": {},
        "metadata": {},
        "revisions": {},
    }


async def test_events_after_the_snapshot_follow_as_they_happen(run: Run) -> None:
    """The same frames as the rows give, and a close when the run is over."""
    async with opened(run) as socket:
        await socket.read()
        told = [
            await in_thread(run.begin)("first"),
            await in_thread(run.finish)("first", {"text": "Grüße"}),
            await in_thread(run.complete)({"answer": 42}),
        ]
        frames = await socket.take(3)
        code = await socket.closed()

    assert (frames, code) == (told, 1000)


async def test_what_nodes_say_of_their_run_comes_as_they_say_it(run: Run) -> None:
    """How far they are is for those who watch; what they say of the run is there for those who come later too."""
    async with opened(run) as socket:
        await socket.read()
        await in_thread(signals.progress_told.send)(
            sender=None, execution_id=run.id, stream="first/", fraction=0.5, message="half"
        )
        await in_thread(write_entry)(run.id, "rows", "7")
        frames = await socket.take(2)
    async with opened(run) as socket:
        again = await socket.read()

    assert frames == [
        {"type": "node:reached", "stream": "first/", "fraction": 0.5, "message": "half"},
        {"type": "execution:metadata", "key": "rows", "value": 7, "revision": 1},
    ]
    assert again["metadata"] == {"rows": 7}


async def test_reader_that_comes_back_is_given_what_it_missed(run: Run) -> None:
    """The client says the last number it has: none missing, none twice."""
    await in_thread(run.begin)("first")
    async with opened(run, after=0) as socket:
        first = (await socket.take(3))[1:]
    for node in ("first", "second"):
        await in_thread(run.finish)(node)
    async with opened(run, after=first[-1]["seq"]) as socket:
        await socket.read()
        await in_thread(run.complete)()
        second = await socket.take(3)

    assert [frame["seq"] for frame in first + second] == [1, 2, 3, 4, 5]


async def test_finished_run_is_told_at_once(run: Run) -> None:
    """A past run replays what is asked for and ends."""
    await in_thread(run.complete)({"answer": 42})

    async with opened(run, after=1) as socket:
        frames, code = await socket.take(2), await socket.closed()

    kinds = [frame["type"] for frame in frames]
    assert (kinds, code) == (["snapshot", "execution:completed"], 1000)


async def test_tokens_reach_who_is_there_and_who_comes_later(run: Run) -> None:
    """Who joins in the middle finds the text so far in the snapshot; both end with the same text."""
    await in_thread(run.begin)("first")
    async with opened(run) as early:
        await early.read()
        run.stream("first", 0, "Once upon ")
        heard = [await early.read()]
        await in_thread(publisher.flush)()
        async with opened(run) as late:
            snapshot_frame = await late.read()
            run.stream("first", 10, "a time")
            heard += [await early.read(), await late.read()]

    token = {"type": "node:token", "stream": "first/"}
    assert snapshot_frame["streams"] == {"first/": {"offset": 0, "text": "Once upon "}}
    assert heard == [{**token, "offset": 0, "text": "Once upon "}] + [{**token, "offset": 10, "text": "a time"}] * 2


async def test_ping_carries_the_number_of_the_newest_event(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that has less than that knows that it missed something."""
    monkeypatch.setattr(ticketed, "PING", 0.1)
    await in_thread(run.begin)("first")
    async with opened(run) as socket:
        await socket.read()

        assert await socket.read() == {"type": "ping", "seq": 2}


async def test_event_that_redis_lost_is_found_in_the_rows(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even the last one, after which nothing comes."""
    monkeypatch.setattr(hubs, "LOOK", 0.1)
    async with opened(run) as socket:
        await socket.read()
        told = await in_thread(run.complete)(silent=True)

        assert (await socket.read(), await socket.closed()) == (told, 1000)


# ---- what clients do


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"text_data": "nonsense"}, 4400),
        ({"text_data": '{"type": "cancel"}'}, 4400),  # there is no such message
        ({"text_data": '{"type": "pong", "pad": "%s"}' % ("x" * 20_000)}, 1009),
        ({"bytes_data": b"\x00"}, 1003),
    ],
)
async def test_message_that_is_not_understood_ends_the_socket(run: Run, message: dict[str, Any], code: int) -> None:
    """Refused rather than ignored, so that a client's bug is seen."""
    async with opened(run) as socket:
        await socket.read()
        await socket.send_to(**message)

        assert await socket.closed() == code


async def test_client_that_talks_without_end_is_cut_off(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each message is understood; that there are so many of them is the trouble."""
    monkeypatch.setattr(ticketed, "MOST_AT_ONCE", 5)
    async with opened(run) as socket:
        await socket.read()
        for _ in range(6):
            await socket.say(type="pong")  # to no ping

        assert await socket.closed() == 4429


async def test_after_that_is_no_number_is_refused(run: Run) -> None:
    """A client that lost count must not be told that it missed nothing."""
    async with opened(run, after="last") as socket:
        assert await socket.closed() == 4400


async def test_reader_that_answers_no_ping_while_much_is_under_way_is_too_slow(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing waits for a reader, and no memory fills up for one."""
    monkeypatch.setattr(ticketed, "Window", lambda: Window(widest=2_000))
    monkeypatch.setattr(ticketed, "PATIENCE", 0.2)
    async with opened(run, after=1) as socket:
        for _ in range(20):
            await in_thread(run.begin)("first")

        assert await socket.closed() == 4408


@pytest.mark.parametrize("ping", [60, 0.01])  # of a rhythm that does, and does not, leave older pings unanswered
async def test_reader_that_answers_pings_is_given_everything(
    run: Run, monkeypatch: pytest.MonkeyPatch, ping: float
) -> None:
    """However much more than the window it is."""
    monkeypatch.setattr(ticketed, "Window", lambda: Window(widest=2_000))
    monkeypatch.setattr(ticketed, "PING", ping)
    async with opened(run, after=1) as socket:
        for _ in range(20):
            await in_thread(run.begin)("first")
        seen: list[int] = []
        pings = 0
        async with asyncio.timeout(20):
            while len(seen) < 20:
                frame = await socket.read()
                if frame["type"] == "ping":
                    pings += 1
                    await socket.say(type="pong")
                elif frame["type"] != "snapshot":
                    seen.append(frame["seq"])

    assert (seen, pings > 1) == (list(range(2, 22)), True)


async def test_listeners_beyond_the_limit_are_sent_away(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a code that means: try again later."""
    monkeypatch.setattr(seats, "MOST_OF_A_WORKSPACE", 1)
    async with opened(run) as first, opened(run) as second:
        await first.read()

        assert await second.closed() == 1013


async def test_run_that_is_deleted_ends_its_sockets(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the end of what is no more."""
    monkeypatch.setattr(hubs, "LOOK", 0.1)
    async with opened(run) as socket:
        await socket.read()
        await in_thread(Execution.objects.filter(pk=run.id).delete)()

        assert await socket.closed() == 4404


async def test_bug_of_ours_ends_the_socket_rather_than_silencing_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client comes back; a socket that stays open and says nothing would be believed."""

    async def broken(execution_id: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(consumers, "take_in_thread", broken)
    async with opened(run) as socket:
        code = await socket.closed()

    assert code == 1011
    assert [record.levelname for record in caplog.records if record.name == "realtime.ticketed"] == ["ERROR"]


async def test_reader_that_leaves_leaves_nothing_behind(run: Run) -> None:
    """No task and no seat of a closed tab."""
    async with opened(run) as socket:
        await socket.read()
    await asyncio.sleep(0)

    assert [task.get_coro().__qualname__ for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    assert seats.seats.taken == 0
