from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.handlers.llm.asking import Asking
from tests.handlers.llm.speakers import SPEAKERS, OpenAI


@pytest.fixture(params=SPEAKERS, ids=lambda speaker: speaker.provider)
def speaker(request: pytest.FixtureRequest) -> OpenAI:
    return request.param


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asking]:
    with ExitStack() as stack:
        yield Asking(monkeypatch, stack)
