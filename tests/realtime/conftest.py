from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from realtime import seats
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


@pytest.fixture(autouse=True)
def seats_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test before has left to be collected."""
    monkeypatch.setattr(seats.seats, "_by_workspace", Counter())
    monkeypatch.setattr(seats.seats, "_by_person", Counter())
