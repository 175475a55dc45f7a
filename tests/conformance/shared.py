"""What the engine is checked with, read where it lies: cases, vectors, definitions, a judge, a reference interpreter.

FLOWMAESTRO_CONFORMANCE names the folder; without it, it is expected beside the checkout. Where there is none, these
tests are skipped and say so.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

PLACE: Final = Path(
    os.environ.get("FLOWMAESTRO_CONFORMANCE") or Path(__file__).resolve().parents[3] / "shared/conformance"
)


def skip_without() -> None:
    """Called at the top of a test module, before it reads anything."""
    if not (PLACE / "check.py").is_file():
        pytest.skip(f"no conformance suite at {PLACE} (FLOWMAESTRO_CONFORMANCE names it)", allow_module_level=True)


@cache
def module(name: str) -> ModuleType:
    """A module of the suite: `check` is the judge, `fuzz` the generator. They import one another by bare names."""
    with _importable():
        return importlib.import_module(name)


@cache
def cases() -> tuple[tuple[str, dict[str, Any]], ...]:
    """Every case with the name of its file."""
    return tuple((path.name, case) for path, case in module("check").load([]))


@cache
def vectors(name: str) -> tuple[dict[str, Any], ...]:
    """Inputs with the result that the existing product gave."""
    return _lines(PLACE / "vectors" / f"{name}.jsonl")


@cache
def definitions(name: str) -> tuple[dict[str, Any], ...]:
    """`{"id", "definition"}` of what the existing product ships."""
    return _lines(PLACE / "definitions" / f"{name}.jsonl")


def _lines(path: Path) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in path.read_text().splitlines())


@contextmanager
def _importable() -> Iterator[None]:
    silent = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # nothing is left behind in a folder that is not ours
    sys.path.insert(0, str(PLACE))
    try:
        yield
    finally:
        sys.path.remove(str(PLACE))
        sys.dont_write_bytecode = silent
