"""What an evaluation may take: time, depth, and how much it may make."""

from __future__ import annotations

import re
from itertools import islice
from sys import getsizeof
from time import monotonic
from typing import Any

from jsonata.jsonata import Jsonata

MAX_STEPS_DEEP = 500  # evaluation steps inside each other; some 6 for one call of a function
MAX_VALUES = 500_000  # items of one list, or values in a tree that is walked
MAX_TEXT_LENGTH = 10_000_000  # characters
MAX_MATCHES = 50_000  # of a regular expression in one text, at some 7 µs each (measured)
MAX_PICTURE_LENGTH = 500  # characters of what says how a number or a date is written
MAX_PICTURE_WIDTH = 500  # characters of one part of it
# All that functions and operators make, thrown away or not: many texts within the bounds are beyond them together.
MAX_MADE_BYTES = 100_000_000
_MAKING = frozenset({"function", "binary"})  # types of expressions
_WIDTH = re.compile(r"[,-]\s*(\d+)")
_ITEM_BYTES = 40  # of a list, with the number it points to


class Fault(Exception):
    """The evaluation failed in a way that jsonata has no code for."""


class TooMuch(Exception):
    """The evaluation went beyond a bound."""


class Bounds:
    """What is looked at before and after every step of one evaluation."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._depth = 0
        self._made_bytes = 0

    def enter(self, expression: object, data: object, frame: Jsonata.Frame) -> None:
        del expression, data, frame
        self._depth += 1
        if self._depth > MAX_STEPS_DEEP:
            raise TooMuch(f"more than {MAX_STEPS_DEEP} steps inside each other; is there a function that never ends?")
        if monotonic() > self._deadline:
            raise TooMuch("the time is up; a transform is for small work, use a code node for more")

    def leave(self, expression: Any, data: object, frame: Jsonata.Frame, result: object) -> None:
        del data, frame
        self._depth -= 1
        is_made = expression.type in _MAKING  # and not looked up
        if isinstance(result, str):
            bound_text(len(result))
            self._made_bytes += getsizeof(result) if is_made else 0
        elif isinstance(result, list):
            bound_values(len(result))
            self._made_bytes += len(result) * _ITEM_BYTES if is_made else 0
        if self._made_bytes > MAX_MADE_BYTES:
            raise TooMuch(f"more than {MAX_MADE_BYTES // 10**6} MB of texts and lists on the way")


def bound_values(count: int) -> None:
    if count > MAX_VALUES:
        raise TooMuch(f"a list of more than {MAX_VALUES} items")


def bound_matches(pattern: Any, text: str) -> int:
    """How often a compiled regular expression matches in *text*."""
    count = sum(1 for _ in islice(pattern.finditer(text), MAX_MATCHES + 1))
    if count > MAX_MATCHES:
        raise TooMuch(f"more than {MAX_MATCHES} matches of a regular expression")
    return count


def bound_picture(picture: Any) -> None:
    """For `$formatNumber`, `$fromMillis` and their kin; a width stands behind a comma or a hyphen."""
    if not isinstance(picture, str):
        return
    widths = _WIDTH.findall(picture[: MAX_PICTURE_LENGTH + 1])
    if len(picture) > MAX_PICTURE_LENGTH or any(int(width) > MAX_PICTURE_WIDTH for width in widths):
        raise TooMuch(f"a picture of more than {MAX_PICTURE_LENGTH} characters, or a part of it that is to be wider")


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
