"""What is done to a run while it goes on: the actions of a case, in order, each once its time has come.

On the real stack and in the simulation alike. Neither is waited for here: whoever plays a timeline is told what to wait
for, so that many of them can be played at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from executions.core import RunStatus

FINAL: Final = frozenset(status.value for status in RunStatus if status.is_final)

Action: TypeAlias = Mapping[str, Any]
Log: TypeAlias = list[dict[str, Any]]


class Stage(Protocol):
    """Where the run of a case is seen and acted upon. Nodes and waitpoints are named by their paths."""

    def status(self) -> str:
        """The run's; `paused` only once all that it was told has been taken in."""

    def open(self) -> Collection[str]:
        """Waitpoints that take an answer."""

    def ran(self) -> dict[str, int]:
        """Node runs by node id, as in an observation."""

    def is_running(self, path: str) -> bool: ...

    def elapsed_ms(self) -> float:
        """Since the run's start."""

    def is_left_alone(self) -> bool:
        """Whether it is over, or paused with nothing due within a minute."""

    def do(self, action: Action) -> dict[str, Any]:
        """Returns what was replied."""


def play(actions: Sequence[Action], stage: Stage) -> Generator[Callable[[], bool], None, Log]:
    """Yields what to wait for, one after the other; returns what was seen before each action, and replied to it."""
    log = []
    for action in actions:
        yield partial(has_come, action.get("when", "now"), stage)
        log.append({**_seen(action, stage), **(stage.do(action) if "do" in action else {})})
    yield stage.is_left_alone
    return log


def _seen(action: Action, stage: Stage) -> dict[str, Any]:
    """What is to be checked before an action."""
    seen: dict[str, Any] = {}
    if "open" in action:
        seen["open"] = sorted(stage.open())
    if "ran" in action or "not_ran" in action:
        seen["ran"] = stage.ran()
    if "status" in action:
        seen["status"] = stage.status()
    return seen


def has_come(when: str | Mapping[str, Any], stage: Stage) -> bool:
    """Whether the time of an action has come."""
    match when:
        case "now":
            return True
        case "paused":
            return stage.status() in {"paused", *FINAL}
        case "ended":
            return stage.status() in FINAL
        case {"open": path}:
            return path in stage.open()
        case {"running": path}:
            return stage.is_running(path)
        case {"at_ms": ms}:
            return stage.elapsed_ms() >= ms
    raise ValueError(f"there is no such time: {when}")
