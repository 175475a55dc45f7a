"""What a run takes over from one that is over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How a node ended in the run before. In this one, that is its end: it does not run again."""

    mark: int  # COMPLETED, EXPIRED or HANDLED: `core.state`
    port: str | None = None  # the one it chose
