from __future__ import annotations

import json
from uuid import uuid4

import pytest
import redis
from celery.signals import worker_process_shutdown
from django.conf import settings

from executions.frames import Frame
from executions.signals import events_recorded, metadata_set, progress_told, token_streamed
from realtime import keys, receivers
from realtime.publisher import Publisher


@pytest.fixture
def publisher(redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    publisher = Publisher()
    monkeypatch.setattr(receivers, "publisher", publisher)
    return publisher


def test_what_the_engine_tells_is_published(publisher: Publisher, redis_client: redis.Redis) -> None:
    """Events and tokens, by the signals their sender owns."""
    run, workspace = uuid4(), uuid4()
    frame = Frame(seq=2, type="node:started", node_id="a", scope="", text="{}")
    token_streamed.send(sender=None, execution_id=run, stream="a/", offset=0, text="Hi")
    events_recorded.send(sender=None, execution_id=run, workspace_id=workspace, frames=[frame])

    assert publisher.flush()

    entries = [fields for _, fields in redis_client.xrange(keys.run(run))]
    assert [sorted(fields) for fields in entries] == [["offset", "stream", "text"], ["frames", "heads"]]
    [(_, told)] = redis_client.xrange(keys.workspace(workspace))
    assert json.loads(told["frame"]) == [str(run)]


def test_notices_are_published_with_what_they_say(publisher: Publisher, redis_client: redis.Redis) -> None:
    """Each stands for itself, so each is an entry."""
    run = uuid4()
    progress_told.send(sender=None, execution_id=run, stream="a/", fraction=0.5, message="half")
    metadata_set.send(sender=None, execution_id=run, key="rows", value='{"n":1}', revision=3)

    assert publisher.flush()

    entries = [json.loads(fields["frame"]) for _, fields in redis_client.xrange(keys.run(run))]
    assert entries == [
        {"type": "node:reached", "stream": "a/", "fraction": 0.5, "message": "half"},
        {"type": "execution:metadata", "key": "rows", "value": {"n": 1}, "revision": 3},
    ]


def test_worker_process_that_ends_sends_what_it_has(publisher: Publisher, redis_client: redis.Redis) -> None:
    """A pool's child does not run what is registered for the exit of a process."""
    run = uuid4()
    for offset in range(50):
        token_streamed.send(sender=None, execution_id=run, stream="a/", offset=offset, text="x")

    worker_process_shutdown.send(sender=None, pid=1, exitcode=0)

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert client.get(keys.text(run, "a/")) == b"x" * 50
