from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flowmaestro.terminal.api import Api, played_api


@pytest.fixture
def api() -> Iterator[Api]:
    with played_api() as api:
        yield api
