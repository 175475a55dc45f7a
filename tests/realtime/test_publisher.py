from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import redis
from django.conf import settings
from django.test import override_settings

from executions.frames import Frame, frame
from realtime import keys
from realtime.core import Numbered, Tokens, from_entry
from realtime.publisher import Publisher
from realtime.texts import MOST_BYTES, readable

RUN = UUID("0198c0de-0000-7000-8000-000000000001")


def event(seq: int, kind: str = "node:started", *, node: str | None = "llm") -> Frame:
    return frame(RUN, seq, kind=kind, at=datetime(2026, 5, 4, 12, tzinfo=UTC), data="{}", node_id=node)


def numbered(told: Frame) -> Numbered:
    return Numbered(seq=told.seq, type=told.type, text=told.text)


@pytest.fixture
def publisher(redis_client: redis.Redis) -> Iterator[Publisher]:
    publisher = Publisher()
    yield publisher
    assert publisher.flush()


@pytest.fixture
def raw(redis_client: redis.Redis) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client


def heard(raw: redis.Redis, run: UUID = RUN) -> list[Numbered | Tokens]:
    return [news for _, fields in raw.xrange(keys.run(run)) for news in from_entry(fields)]


def test_events_are_written_in_order_and_expire(publisher: Publisher, raw: redis.Redis) -> None:
    """What a process tells of a run stands in the run's stream as it was told, for an hour."""
    frames = [event(seq) for seq in range(1, 8)]
    publisher.events(RUN, frames[:3])
    publisher.events(RUN, frames[3:])

    assert publisher.flush()

    assert heard(raw) == [numbered(frame) for frame in frames]
    assert 0 < raw.ttl(keys.run(RUN)) <= keys.KEPT_SECONDS


def test_stream_of_a_long_run_is_bounded(publisher: Publisher, raw: redis.Redis) -> None:
    """Redis holds the last events of a run, the rows hold all."""
    for seq in range(1, 6001):
        publisher.events(RUN, [event(seq)])

    assert publisher.flush(10)

    assert keys.MOST_ENTRIES <= raw.xlen(keys.run(RUN)) < keys.MOST_ENTRIES + 200
    assert heard(raw)[-1] == numbered(event(6000))


def test_tokens_are_joined_and_the_text_is_kept(publisher: Publisher, raw: redis.Redis) -> None:
    """A hundred deltas at once are few frames, whose text is all there was; who joins late finds it in one piece."""
    words = [f"wörd{number} " for number in range(100)]
    text = "".join(words)
    offset = 0
    for word in words:
        publisher.tokens(RUN, "llm/", offset, word)
        offset += len(word)

    assert publisher.flush()

    pieces = heard(raw)
    assert len(pieces) < 10
    assert "".join(piece.text for piece in pieces if isinstance(piece, Tokens)) == text
    assert readable(raw.get(keys.text(RUN, "llm/"))) == text
    assert 0 < raw.ttl(keys.text(RUN, "llm/")) <= keys.KEPT_SECONDS


def test_tokens_of_another_attempt_begin_the_text_anew(publisher: Publisher, raw: redis.Redis) -> None:
    """What the attempt before it said is not what the node says."""
    publisher.tokens(RUN, "llm/", 0, "A long first attempt")
    assert publisher.flush()
    publisher.tokens(RUN, "llm/", 0, "Second")
    publisher.tokens(RUN, "llm/", 6, " try")

    assert publisher.flush()

    assert readable(raw.get(keys.text(RUN, "llm/"))) == "Second try"


def test_text_with_a_hole_is_given_up(publisher: Publisher, raw: redis.Redis) -> None:
    """Better no text for who joins late than one with words missing in the middle."""
    publisher.tokens(RUN, "llm/", 0, "Hello")
    assert publisher.flush()
    publisher.tokens(RUN, "llm/", 9, "world")

    assert publisher.flush()

    assert raw.get(keys.text(RUN, "llm/")) is None
    assert heard(raw)[-1] == Tokens(stream="llm/", offset=9, text="world")


def test_text_that_redis_forgot_is_not_read_from_its_middle(publisher: Publisher, raw: redis.Redis) -> None:
    """A flushed Redis is padded with NUL by the next piece, which no reader takes for text."""
    publisher.tokens(RUN, "llm/", 0, "Hello")
    assert publisher.flush()
    raw.delete(keys.text(RUN, "llm/"))
    publisher.tokens(RUN, "llm/", 5, " world")

    assert publisher.flush()

    assert readable(raw.get(keys.text(RUN, "llm/"))) == ""


def test_text_is_capped(publisher: Publisher, raw: redis.Redis) -> None:
    """A model that never stops fills no Redis; what it says beyond is only streamed."""
    part = "x" * (MOST_BYTES // 2)
    for number in range(3):
        publisher.tokens(RUN, "llm/", number * len(part), part)
        assert publisher.flush()

    assert raw.strlen(keys.text(RUN, "llm/")) == MOST_BYTES
    assert heard(raw)[-1] == Tokens(stream="llm/", offset=MOST_BYTES, text=part)


@pytest.mark.parametrize(
    ("told", "order"),
    [
        (event(1, "node:completed"), [0, 1, 2]),  # the node's own event: after all of its text
        (event(1, "node:completed", node="other"), [0, 2, 1]),  # another's: no reason to hurry
        (event(1, "execution:cancelled", node=None), [0, 1, 2]),  # the end: after everything
    ],
)
def test_events_come_after_the_tokens_they_conclude(
    publisher: Publisher, raw: redis.Redis, told: dict[str, object], order: list[int]
) -> None:
    """A client that has the end of a node has seen its whole text."""
    publisher.tokens(RUN, "llm/", 0, "a")
    time.sleep(0.01)  # "a" is out; "b" waits for its turn
    publisher.tokens(RUN, "llm/", 1, "b")
    publisher.events(RUN, [told])

    assert publisher.flush()

    expected = [Tokens(stream="llm/", offset=0, text="a"), Tokens(stream="llm/", offset=1, text="b"), numbered(told)]
    assert heard(raw) == [expected[place] for place in order]


def test_half_a_surrogate_pair_is_written_as_a_question_mark(publisher: Publisher, raw: redis.Redis) -> None:
    """A model's delta may end within a character: it costs that character and nothing else."""
    publisher.tokens(RUN, "llm/", 0, "smile \ud83d")

    assert publisher.flush()

    assert heard(raw) == [Tokens(stream="llm/", offset=0, text="smile ?")]


@pytest.fixture
def deaf() -> Iterator[str]:
    """A server that takes connections and never answers: Redis at its worst."""
    listening = socket.create_server(("127.0.0.1", 0))
    yield f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
    listening.close()


def test_redis_that_hangs_costs_the_sender_nothing_and_little_memory(deaf: str) -> None:
    """A worker never waits for listeners: what does not fit is dropped and counted."""
    with override_settings(REDIS_URL=deaf):
        publisher = Publisher(room=100)
        began = time.perf_counter()
        for seq in range(20_000):
            publisher.tokens(RUN, "llm/", seq, "x")
        took = time.perf_counter() - began
        # The thread must have read the settings before they are put back.
        publisher.flush(4)

    assert took < 1.0
    assert publisher.dropped > 15_000


def test_redis_that_is_away_is_complained_about_once_and_found_again(
    redis_client: redis.Redis, raw: redis.Redis, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage is a line in the log, not a line per event; when it is over, news flows again."""
    execute = redis.client.Pipeline.execute
    monkeypatch.setattr(redis.client.Pipeline, "execute", _refuse)
    publisher, run = Publisher(), uuid4()
    for seq in range(1, 6):
        publisher.events(run, [event(seq)])
        assert publisher.flush()
    monkeypatch.setattr(redis.client.Pipeline, "execute", execute)
    time.sleep(0.3)  # the pause after the failures

    publisher.events(run, [event(6)])
    assert publisher.flush()

    assert heard(raw, run) == [numbered(event(6))]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert publisher.dropped >= 5


def _refuse(*args: object, **options: object) -> None:
    raise redis.ConnectionError("away")


def test_news_that_cannot_be_written_does_not_stop_the_rest(
    publisher: Publisher, raw: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug in one frame is a trace in the log; the thread goes on."""
    publisher.events(RUN, [{"no": "frame"}])
    assert publisher.flush()
    publisher.events(RUN, [event(2)])

    assert publisher.flush()

    assert heard(raw) == [numbered(event(2))]
    assert [record.message for record in caplog.records] == ["live events were dropped"]


def test_forked_child_sends_what_it_has_and_nothing_of_its_parent(publisher: Publisher, raw: redis.Redis) -> None:
    """Celery's children are forked from a process that may have sent already."""
    publisher.events(RUN, [event(1)])
    os.register_at_fork(after_in_child=publisher.forget)
    assert publisher.flush()

    child = os.fork()
    if child == 0:
        publisher.events(RUN, [event(2)])
        os._exit(0 if publisher.flush() else 1)
    _, status = os.waitpid(child, 0)
    publisher.events(RUN, [event(3)])
    assert publisher.flush()

    assert os.waitstatus_to_exitcode(status) == 0
    assert heard(raw) == [numbered(event(seq)) for seq in (1, 2, 3)]


def test_threads_of_a_worker_may_send_at_once(publisher: Publisher, raw: redis.Redis) -> None:
    """Each run's order is that of the thread that told it; nothing is lost."""
    runs = [uuid4() for _ in range(4)]

    def tell(run: UUID) -> None:
        for seq in range(1, 51):
            publisher.events(run, [event(seq)])

    threads = [threading.Thread(target=tell, args=[run]) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert publisher.flush()

    assert [heard(raw, run) for run in runs] == [[numbered(event(seq)) for seq in range(1, 51)]] * 4
