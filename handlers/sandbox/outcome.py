"""What came of a program."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.base import JSONValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    result: JSONValue
    stdout: str
    stderr: str
    is_cut: bool  # something of stdout or stderr is missing
    seconds: float
