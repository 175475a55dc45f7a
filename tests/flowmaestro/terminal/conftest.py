from __future__ import annotations

import pytest

from flowmaestro.terminal import Client
from tests.flowmaestro.terminal.api import Api


@pytest.fixture
def client(api: Api) -> Client:
    return Client(api.url, "fm_live_x")
