"""A home of its own for each test, whose servers and data are gone afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowmaestro.embedded import services
from flowmaestro.embedded.addresses import socket_dir
from flowmaestro.embedded.places import PUBLIC, named_data


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "home"
    home.mkdir()
    yield home
    assert services.stop(home)
    data = named_data(home)
    if data.is_relative_to(PUBLIC):  # we are root, and it was put there for nobody
        shutil.rmtree(data.parent, ignore_errors=True)
    shutil.rmtree(socket_dir(home), ignore_errors=True)
