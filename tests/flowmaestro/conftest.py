from __future__ import annotations

from collections.abc import Iterator

import pytest

from flowmaestro.terminal import Client
from tests.flowmaestro.terminal.api import Api, played_api


@pytest.fixture
def api() -> Iterator[Api]:
    with played_api() as api:
        yield api


@pytest.fixture
def client(api: Api) -> Client:
    return Client(api.url, "fm_live_x")
