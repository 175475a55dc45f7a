"""What was done outside of the engine, and survives whatever happens to it: a file that every worker appends to."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

PLACE: Final = "CHAOS_LEDGER"  # the variable that names the file; not set: nothing is noted
BEGUN, DOUBLED = "begun", "doubled"


class Visit(NamedTuple):
    """A node in one scope of one run."""

    execution_id: UUID
    scope: str
    node_id: str


Attempts: TypeAlias = Mapping[Visit, list[int]]


def note_begun(visit: Visit, attempt: int) -> None:
    _note(BEGUN, str(visit.execution_id), visit.scope, visit.node_id, str(attempt))


def note_doubled(message_id: str) -> None:
    _note(DOUBLED, message_id)


def attempts(place: Path) -> Attempts:
    """The attempts of each visit that a handler has begun, in that order."""
    found: dict[Visit, list[int]] = defaultdict(list)
    for kind, *told in _lines(place):
        if kind == BEGUN:
            execution_id, scope, node_id, attempt = told
            found[Visit(UUID(execution_id), scope, node_id)].append(int(attempt))
    return found


def doubled(place: Path) -> int:
    """How many messages were sent a second time."""
    return sum(kind == DOUBLED for kind, *_ in _lines(place))


def _lines(place: Path) -> list[list[str]]:
    text = place.read_text(encoding="utf-8") if place.exists() else ""
    return [line.split("\t") for line in text.splitlines()]


def _note(*words: str) -> None:
    place = os.environ.get(PLACE)
    if not place:
        return
    # One write, at the end of the file wherever that is by now: lines of two processes never mix.
    file = os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, ("\t".join(words) + "\n").encode())
    finally:
        os.close(file)
