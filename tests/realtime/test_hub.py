from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from uuid import UUID, uuid4

import pytest
import redis
import redis.asyncio
from redis.asyncio.client import Pipeline

from executions.frames import Frame
from realtime import hub as hubs
from realtime import keys
from realtime.core import Newest, Numbered, Tokens
from realtime.hub import Hub
from realtime.listener import Gone, Listener, TooSlow
from realtime.publisher import Publisher


def event(seq: int) -> Frame:
    return Frame(seq=seq, type="node:started", node_id="a", scope="", text=f'{{"seq":{seq}}}')


async def nothing(runs: Collection[UUID]) -> Mapping[UUID, int]:
    return {}


async def told(listener: Listener, count: int) -> list[object]:
    """The next messages but for those of the look at the rows."""
    messages: list[object] = []
    async with asyncio.timeout(5):
        while len(messages) < count:
            messages += [news for news in await listener.get() if not isinstance(news, Newest | Gone)]
    return messages


@pytest.fixture
def publisher(redis_client: redis.Redis) -> Publisher:
    return Publisher()


async def test_listener_hears_what_is_told_after_it_joined(publisher: Publisher) -> None:
    """What was told before is in the rows; what is told later comes in order, tokens among it."""
    run, hub = uuid4(), Hub(look=nothing)
    publisher.events(run, [event(1)])
    publisher.flush()
    async with hub.listen(run) as listener:
        publisher.tokens(run, "a/", 0, "Hi")
        publisher.events(run, [event(2), event(3)])

        messages = await told(listener, 3)

    assert [getattr(message, "seq", None) for message in messages] == [None, 2, 3]
    assert messages[0] == Tokens(stream="a/", offset=0, text="Hi")


async def test_runs_that_come_later_wake_the_reader(publisher: Publisher) -> None:
    """A blocked XREAD knows nothing of new keys: whoever comes need not wait until it ends."""
    runs, hub = [uuid4() for _ in range(3)], Hub(look=nothing)
    heard = []
    async with hub.listen(runs[0]) as first:
        await asyncio.sleep(0.1)  # the reader is blocked by now
        async with (
            hub.listen(runs[1]) as second,
            hub.listen(runs[2]) as third,
        ):
            for number, run in enumerate(runs):
                publisher.events(run, [event(number)])
            for listener in (first, second, third):
                heard += await told(listener, 1)

    assert [message.seq for message in heard if isinstance(message, Numbered)] == [0, 1, 2]


async def test_listeners_of_one_run_all_hear_it_and_one_that_left_changes_nothing(publisher: Publisher) -> None:
    """Handed out in memory: Redis is read once, however many listen."""
    run, hub = uuid4(), Hub(look=nothing)
    async with hub.listen(run) as stays:
        async with hub.listen(run) as leaves:
            publisher.events(run, [event(1)])
            both = [*await told(stays, 1), *await told(leaves, 1)]
        publisher.events(run, [event(2)])
        rest = await told(stays, 1)

    assert [message.seq for message in (*both, *rest) if isinstance(message, Numbered)] == [1, 1, 2]


async def test_hub_without_listeners_has_no_tasks_and_no_connection(redis_client: redis.Redis) -> None:
    """A web process that nobody watches from costs Redis nothing, and can be watched from again."""
    hub = Hub(look=nothing)
    for _ in range(2):
        async with hub.listen(uuid4()):
            during = len(asyncio.all_tasks())
        after = len(asyncio.all_tasks())

    assert (during, after) == (3, 1)  # the test itself, the reader and the lookout


async def test_listener_that_does_not_take_its_messages_is_told_that_it_is_slow(publisher: Publisher) -> None:
    """A bounded queue: the reader that fills it must resume from its last number, the others go on."""
    run, hub = uuid4(), Hub(look=nothing, room=5)
    async with hub.listen(run) as slow, hub.listen(run) as quick:
        heard = []
        for first in range(0, 50, 5):
            publisher.events(run, [event(seq) for seq in range(first, first + 5)])
            heard += await told(quick, 5)

        with pytest.raises(TooSlow):
            await slow.get()

    assert [message.seq for message in heard if isinstance(message, Numbered)] == list(range(50))


async def test_reader_survives_a_redis_that_closes_its_connections(
    publisher: Publisher, redis_client: redis.Redis
) -> None:
    """As at a restart of Redis: listeners are sent to the rows, then live news goes on."""
    run = uuid4()
    looks = 0

    async def look(runs: Collection[UUID]) -> Mapping[UUID, int]:
        nonlocal looks
        looks += 1
        return {run: 40 + looks}

    hub = Hub(look=look)
    async with hub.listen(run) as listener:
        for client in redis_client.client_list():
            if client["name"] == hubs.CLIENT_NAME:
                redis_client.client_kill_filter(_id=client["id"])
        [first] = await asyncio.wait_for(listener.get(), 1.5)  # before LOOK: because the reader is back
        publisher.events(run, [event(1)])
        messages = await told(listener, 1)

    assert first == Newest(41)
    assert [message.seq for message in messages if isinstance(message, Numbered)] == [1]


async def test_stream_that_redis_forgot_goes_on(publisher: Publisher, redis_client: redis.Redis) -> None:
    """A flushed Redis loses what it had, not what comes."""
    run, hub = uuid4(), Hub(look=nothing)
    async with hub.listen(run) as listener:
        publisher.events(run, [event(1)])
        before = await told(listener, 1)
        redis_client.delete(keys.run(run))
        publisher.events(run, [event(2)])
        after = await told(listener, 1)

    assert [message.seq for message in (*before, *after) if isinstance(message, Numbered)] == [1, 2]


async def test_entry_that_is_not_understood_is_passed_over(
    publisher: Publisher, redis_client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """While one release replaces another: what a reader misses by it is in the rows."""
    run, hub = uuid4(), Hub(look=nothing)
    async with hub.listen(run) as listener:
        redis_client.xadd(keys.run(run), {"of": "the future"})
        publisher.events(run, [event(2)])
        messages = await told(listener, 1)

    assert [message.seq for message in messages if isinstance(message, Numbered)] == [2]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


async def test_listening_while_redis_is_away_goes_by_the_rows(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis may forget, and it may be away: who listens then hears of new rows all the same."""

    async def refuse(*args: object, **options: object) -> None:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(redis.asyncio.Redis, "execute_command", refuse)
    monkeypatch.setattr(Pipeline, "execute", refuse)
    monkeypatch.setattr(hubs, "LOOK", 0.05)
    run = uuid4()

    async def look(runs: Collection[UUID]) -> Mapping[UUID, int]:
        return dict.fromkeys(runs, 7)

    hub = Hub(look=look)
    async with hub.listen(run) as listener:
        [message] = await asyncio.wait_for(listener.get(), 2)
        texts = await hub.texts(run, ["a/"])

    assert (message, texts) == (Newest(7), {})


async def test_listener_of_a_run_without_rows_is_told_that_it_is_gone(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that was deleted will never end: who follows it must not wait for that."""
    monkeypatch.setattr(hubs, "LOOK", 0.05)
    hub = Hub(look=nothing)
    async with hub.listen(uuid4()) as listener:
        [message] = await asyncio.wait_for(listener.get(), 2)

    assert message == Gone()


async def test_texts_are_what_the_streams_have_said(publisher: Publisher) -> None:
    """Streams that said nothing are left out."""
    run, hub = uuid4(), Hub(look=nothing)
    publisher.tokens(run, "a/", 0, "Grüße")
    publisher.flush()
    async with hub.listen(run):
        texts = await hub.texts(run, ["a/", "b/"])

    assert texts == {"a/": "Grüße"}
