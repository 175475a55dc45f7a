from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings as site

from executions.limits.store import store


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[redis.Redis]:
    """Nothing is held before or after; the client to look into Redis with."""
    with redis.Redis.from_url(site.REDIS_URL) as client:
        _forget(client)
        yield client
        _forget(client)
    store.forget()


def _forget(client: redis.Redis) -> None:
    for key in client.scan_iter(f"{site.REDIS_PREFIX}limits:*"):
        client.delete(key)
