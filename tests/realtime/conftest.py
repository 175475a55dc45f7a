from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from realtime.publisher import publisher
from tests.realtime.runs import Run


@pytest.fixture
def run(transactional_db: None, redis_client: redis.Redis) -> Iterator[Run]:
    """A run of two nodes that has just started."""
    yield Run()
    publisher.flush()


@pytest.fixture
def make_run(transactional_db: None, redis_client: redis.Redis) -> Iterator[Callable[..., Run]]:
    def make(*args: Any, **options: Any) -> Run:
        return Run(*args, **options)

    yield make
    publisher.flush()
