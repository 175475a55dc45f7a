"""Whether the machine that runs the tests has a sandbox, and a short way into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest

from handlers import sandbox
from handlers.sandbox import Outcome
from tests.handlers.fakes import RecordingLent

missing = cache(sandbox.find_fault)


@pytest.fixture
def switched_on() -> Iterator[None]:
    """For a test that runs programs; skipped where none can be run."""
    for language in sandbox.LANGUAGES:
        if reason := missing(language):
            pytest.skip(reason)
    sandbox.allow(True)
    yield
    sandbox.allow(False)


def run(
    code: str,
    inputs: Mapping[str, Any] | None = None,
    *,
    language: str = "python",
    seconds: float = 20,
    memory_mb: int = 64,
    lent: RecordingLent | None = None,
) -> Outcome:
    return sandbox.run(language, code, inputs or {}, seconds=seconds, memory_mb=memory_mb, lent=lent or RecordingLent())


def result(code: str, inputs: Mapping[str, Any] | None = None, *, language: str = "python") -> Any:
    return run(code, inputs, language=language).result
