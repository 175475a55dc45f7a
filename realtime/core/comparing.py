"""Two runs side by side, and in a sentence. Of values only: what each node did in the one and in the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from realtime.core.wording import duration, money

# Of two runs alike, no two take the same time: what is less than a tenth, and less than that, is chance.
_CHANCE: Final = timedelta(milliseconds=50)
_TENTH: Final = 0.1


class Who(StrEnum):
    """Which of the two runs did something."""

    BOTH = "both"
    FIRST = "first"
    SECOND = "second"
    NEITHER = "neither"


def who(*, first: bool, second: bool) -> Who:
    """Which of two runs did it."""
    if first and second:
        return Who.BOTH
    return Who.FIRST if first else Who.SECOND if second else Who.NEITHER


def merged(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """All of both, in the order of *second*; what only *first* has right behind what it stands behind there."""
    order, known, place = [*second], set(second), -1
    for name in first:
        if name in known:
            place = order.index(name)
        else:
            place += 1
            order.insert(place, name)
    return order


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a run came to."""

    status: str
    is_over: bool
    took: timedelta
    cost: float  # US dollars


def summary(first: Totals, second: Totals, *, paths: Iterable[Who], outputs: int) -> list[str]:
    """How the second run differs from the first, in sentences. *paths*: who ran each node; *outputs*: that differ."""
    path = [*paths]
    only_first, only_second = path.count(Who.FIRST), path.count(Who.SECOND)
    told = [_ends(first, second)]
    if only_first or only_second:
        told.append(f"{_nodes(only_first)} ran only in A, {_nodes(only_second)} only in B.")
    else:
        told.append("The same nodes ran.")
    told.append(f"{_nodes(outputs)} gave back something else." if outputs else "Every node gave back the same.")
    told.append(_time(first.took, second.took))
    told += _cost(first.cost, second.cost)
    return told


def _ends(first: Totals, second: Totals) -> str:
    if first.status == second.status:
        return f"Both {'' if second.is_over else 'are '}{second.status}."
    one, two = (f"{'' if each.is_over else 'is '}{each.status}" for each in (first, second))
    return f"A {one}, B {two}."


def _nodes(count: int) -> str:
    return "No node" if not count else "1 node" if count == 1 else f"{count} nodes"


def _time(first: timedelta, second: timedelta) -> str:
    apart = abs(second - first)
    if apart <= max(_CHANCE, _TENTH * max(first, second)):
        return "They took about as long."
    return f"B took {duration(apart)} {'longer' if second > first else 'less'}."


def _cost(first: float, second: float) -> list[str]:
    if apart := abs(second - first):
        return [f"B cost {money(apart)} {'more' if second > first else 'less'}."]
    return ["They cost the same."] if first else []
