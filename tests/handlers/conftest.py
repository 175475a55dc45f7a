from __future__ import annotations

from collections.abc import Iterator

import pytest

from handlers import network


@pytest.fixture(scope="session", autouse=True)
def connections_closed_at_the_end() -> Iterator[None]:
    yield
    network.client().close()
