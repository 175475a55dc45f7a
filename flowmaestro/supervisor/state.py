"""What runs from a home: `up.json`, true while somebody holds `up.lock`.

A pid alone says little, since numbers are used again; the lock goes with the process that holds it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Final

from flowmaestro.embedded import locks

_TAKE_SECONDS: Final = 1.0  # outlasts somebody's look at the lock
_WRITE_SECONDS: Final = 2.0  # between the claim and the first state


@dataclass(frozen=True, slots=True, kw_only=True)
class StackState:
    pid: int  # of the supervisor
    url: str
    is_ready: bool = False
    children: Mapping[str, int] = field(default_factory=dict)  # name → pid, of those alive
    standin_url: str | None = None  # of the demo's stock service
    model_is_standin: bool = False  # it also answers for the language model
    stops_at: str | None = None  # ISO 8601, when it is to end by itself


class Claim:
    """The right to run the stack of a home, until it is released or the process ends."""

    def __init__(self, home: Path, lock: int) -> None:
        self._path = _state_path(home)
        self._lock = lock
        self._path.unlink(missing_ok=True)  # of one that was killed

    def write(self, state: StackState) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(state), indent=1) + "\n", encoding="utf-8")
        fresh.replace(self._path)

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        locks.release(self._lock)


def claim(home: Path) -> Claim | None:
    """The claim on *home*; None when another process has it."""
    home.mkdir(parents=True, exist_ok=True)
    lock = locks.take(_lock_path(home), shared=False, seconds=_TAKE_SECONDS)
    return None if lock is None else Claim(home, lock)


def read(home: Path) -> StackState | None:
    """What runs from *home*; None when nothing does."""
    give_up_at = time.monotonic() + _WRITE_SECONDS
    while is_claimed(home):
        try:
            written = json.loads(_state_path(home).read_text(encoding="utf-8"))
            known = {one.name for one in fields(StackState)}  # another version of us may have written it
            return StackState(**{name: value for name, value in written.items() if name in known})
        except FileNotFoundError:
            if time.monotonic() > give_up_at:
                return None
            time.sleep(0.02)
    return None


def is_claimed(home: Path) -> bool:
    if not _lock_path(home).exists():
        return False
    lock = locks.take(_lock_path(home), shared=True, seconds=0)
    if lock is None:
        return True
    locks.release(lock)
    return False


def _lock_path(home: Path) -> Path:
    return home / "up.lock"


def _state_path(home: Path) -> Path:
    return home / "up.json"
