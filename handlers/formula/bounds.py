"""What an evaluation may take: time, depth, and how much it may make."""

from __future__ import annotations

from time import monotonic
from typing import Any

from jsonata.jsonata import Jsonata

MAX_STEPS_DEEP = 500  # evaluation steps inside each other; some 6 for one call of a function
MAX_VALUES = 1_000_000  # items of one list, or values in a tree that is walked
MAX_TEXT_LENGTH = 10_000_000  # characters


class Fault(Exception):
    """The evaluation failed in a way that jsonata has no code for."""


class TooMuch(Exception):
    """The evaluation went beyond a bound."""


class Bounds:
    """What is looked at before and after every step of one evaluation."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._depth = 0

    def enter(self, expression: object, data: object, frame: Jsonata.Frame) -> None:
        del expression, data, frame
        self._depth += 1
        if self._depth > MAX_STEPS_DEEP:
            raise TooMuch(f"more than {MAX_STEPS_DEEP} steps inside each other; is there a function that never ends?")
        if monotonic() > self._deadline:
            raise TooMuch("the time is up; a transform is for small work, use a code node for more")

    def leave(self, expression: object, data: object, frame: Jsonata.Frame, result: object) -> None:
        del expression, data, frame
        self._depth -= 1
        if isinstance(result, str):
            bound_text(len(result))
        elif isinstance(result, list) and len(result) > MAX_VALUES:
            raise TooMuch(f"a list of more than {MAX_VALUES} items")


def bound_text(length: float) -> None:
    if length > MAX_TEXT_LENGTH:
        raise TooMuch(f"a text of more than {MAX_TEXT_LENGTH} characters")


def weighed(value: Any) -> Any:
    """*value*, once it is known that walking it ends."""
    waiting, count = [value], 0
    while waiting:
        item = waiting.pop()
        count += 1
        if count > MAX_VALUES:
            raise TooMuch(f"a value made of more than {MAX_VALUES} values")
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return value
