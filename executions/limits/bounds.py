"""The site's own bounds, per key: data of a setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class BadBounds(ValueError):
    """The site's limits cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """None: there is none."""

    at_once: int | None = None
    per_minute: int | None = None

    def within(self, other: Bounds) -> Bounds:
        """The narrower of both, of each."""
        return Bounds(at_once=_least(self.at_once, other.at_once), per_minute=_least(self.per_minute, other.per_minute))

    def __bool__(self) -> bool:
        return self.at_once is not None or self.per_minute is not None


def check_bounds(site: Mapping[str, Any]) -> None:
    """Raise BadBounds unless it is `{"openai": {"at_once": 50, "per_minute": 600}, …}`; either may be left out."""
    for name, row in site.items():
        _read(name, row)


def bounds_of(key: str, site: Mapping[str, Any]) -> Bounds:
    """Those of *key*; without any, of what stands before its colons: `openai:host` has places of its own, as many."""
    name = key
    while name:
        if name in site:
            return _read(name, site[name])
        name = name.rpartition(":")[0]
    return Bounds()


def _read(name: str, row: Any) -> Bounds:
    if not isinstance(row, Mapping) or set(row) - {"at_once", "per_minute"}:
        raise BadBounds(f'{name} is not {{"at_once": …, "per_minute": …}}')
    for bound, number in row.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise BadBounds(f"{bound} of {name} is not a whole number above 0")
    return Bounds(**row)


def _least(left: int | None, right: int | None) -> int | None:
    return min((bound for bound in (left, right) if bound is not None), default=None)
