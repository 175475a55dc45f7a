from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers import network
from tests.handlers.certificates import make_certificate
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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, with its key; signed by itself, so that nobody trusts it who is not told to."""
    return make_certificate(tmp_path_factory.mktemp("tls"))
