from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest

from executions.models import Execution
from realtime import hub as hubs
from realtime import rows
from realtime.core import Numbered, Streams, Tokens
from realtime.feed import Beat, Feed, RunGone
from realtime.hub import Hub
from realtime.publisher import publisher
from realtime.rows import in_thread
from tests.realtime.runs import Run


@asynccontextmanager
async def followed(run: Run, *, after: int = 0, beat: float = 60) -> AsyncIterator[AsyncIterator[object]]:
    """The feed of a run, as a door uses it."""
    hub = Hub()
    async with hub.listen(run.id) as listener:
        found = await rows.find(run.id)
        yield Feed(found, hub, listener, after=after, streams=Streams()).follow(beat=beat)


async def take(given: AsyncIterator[object], count: int) -> list[Any]:
    async with asyncio.timeout(10):
        return [await anext(given) for _ in range(count)]


async def everything(given: AsyncIterator[object]) -> list[Any]:
    async with asyncio.timeout(20):
        return [item async for item in given]


def numbers(items: list[Any]) -> list[int]:
    return [item.seq for item in items if isinstance(item, Numbered)]


async def test_feed_replays_rows_then_goes_live_and_ends_with_the_run(run: Run) -> None:
    """Past and present are one sequence, and the event that ends the run ends it."""
    await in_thread(run.begin)("first")
    async with followed(run) as given:
        past = await take(given, 2)
        await in_thread(run.finish)("first", {"ok": True})
        await in_thread(run.complete)({"ok": True})
        present = await everything(given)

    assert numbers(past + present) == [1, 2, 3, 4]
    assert json.loads(present[-1].text)["data"]["outputs"] == {"ok": True}


@pytest.mark.parametrize(
    ("after", "seen"),
    [
        (0, [1, 2, 3]),  # all of it
        (2, [3]),  # the rest
        (3, []),  # nothing is left
        (99, []),  # more than there is: a number from elsewhere
    ],
)
async def test_feed_of_a_finished_run_gives_the_rest_and_ends(run: Run, after: int, seen: list[int]) -> None:
    """A past run needs no waiting."""
    await in_thread(run.begin)("first", silent=True)
    await in_thread(run.complete)(silent=True)

    async with followed(run, after=after) as given:
        items = await everything(given)

    assert numbers(items) == seen


async def test_feed_of_a_long_history_reads_it_in_pages(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of events are never in memory at once."""
    monkeypatch.setattr(rows, "PAGE", 3)
    monkeypatch.setattr(rows, "page", _paged(rows.page, 3))
    for _ in range(7):
        await in_thread(run.begin)("first", silent=True)
    await in_thread(run.complete)(silent=True)

    async with followed(run) as given:
        items = await everything(given)

    assert numbers(items) == list(range(1, 10))


def _paged(page: Any, limit: int) -> Any:
    async def read(execution_id: Any, *, after: int) -> Any:
        return await page(execution_id, after=after, limit=limit)

    return read


async def test_event_that_was_never_sent_is_found_when_the_next_one_comes(run: Run) -> None:
    """Redis may forget: the gap is filled from the rows, in order."""
    async with followed(run, after=1) as given:
        await in_thread(run.begin)("first", silent=True)
        await in_thread(run.finish)("first")

        items = await take(given, 2)

    assert numbers(items) == [2, 3]


async def test_last_event_that_was_never_sent_is_found_by_looking(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes after a last event to betray its loss: the look at the rows finds it."""
    monkeypatch.setattr(hubs, "LOOK", 0.1)
    async with followed(run, after=1) as given:
        await in_thread(run.begin)("first", silent=True)
        await in_thread(run.complete)(silent=True)

        items = await everything(given)

    assert numbers(items) == [2, 3]


async def test_feed_beats_whether_or_not_there_is_news(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign of life that says how far the run has come."""
    async with followed(run, after=1, beat=0.15) as given:
        quiet = await take(given, 1)
        await in_thread(run.begin)("first")
        busy = await take(given, 2)

    assert (quiet, numbers(busy), [item for item in busy if isinstance(item, Beat)]) == ([Beat(1)], [2], [Beat(2)])


async def test_reader_that_joins_a_stream_late_is_given_all_of_it(run: Run) -> None:
    """What was streamed so far as one piece, then the rest by offset."""
    run.stream("first", 0, "Once upon ")
    await in_thread(publisher.flush)()
    async with followed(run, after=1) as given:
        run.stream("first", 10, "a time")
        items = await take(given, 1)
        run.stream("first", 16, ".")
        items += await take(given, 1)

    assert items == [
        Tokens(stream="first/", offset=0, text="Once upon a time"),
        Tokens(stream="first/", offset=16, text="."),
    ]


async def test_feed_of_a_run_that_is_deleted_ends(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retention, or a person, took it away: nobody waits for its end."""
    monkeypatch.setattr(hubs, "LOOK", 0.1)
    async with followed(run, after=1) as given:
        await in_thread(Execution.objects.filter(pk=run.id).delete)()

        with pytest.raises(RunGone):
            await everything(given)


async def test_no_event_is_missed_or_doubled_whatever_redis_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The promise: silent, doubled and shuffled telling, a reader that comes in the middle, all through real Redis."""
    monkeypatch.setattr(hubs, "LOOK", 0.2)
    chance = Random(4)

    def tell() -> None:
        untold: list[dict[str, Any]] = []
        for _ in range(150):
            untold.append(run.begin("first", silent=True))
            if chance.random() < 0.5:
                chance.shuffle(untold)
                lost, told = untold[:1] if chance.random() < 0.3 else [], untold
                run.announce(*(frame for frame in told if frame not in lost), *told[:1])
                untold = []
        run.complete(silent=chance.random() < 0.5)

    async with followed(run) as given:
        first = await take(given, 1)
        telling = asyncio.create_task(in_thread(tell)())
        items = first + await everything(given)
        await telling

    assert numbers(items) == list(range(1, 153))
