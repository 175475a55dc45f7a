from __future__ import annotations

from collections.abc import Iterator

import pytest

from handlers import network
from tests.handlers.policies import allowing


@pytest.fixture(scope="session", autouse=True)
def connections_closed_at_the_end() -> Iterator[None]:
    yield
    network.client().close()


@pytest.fixture
def default_policy() -> Iterator[None]:
    """Nothing private is allowed, as where no operator says otherwise."""
    with allowing():
        yield
