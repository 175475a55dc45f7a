"""What an answer cost, by a table that a site may replace (`prices.json` says what it holds)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from handlers.llm.requests import Counted
from handlers.values import read_json

OUR_TABLE: Final = Path(__file__).with_name("prices.json")
_PER: Final = 1_000_000  # tokens
_DECIMALS: Final = 9  # of a dollar: a token of the cheapest model costs five of them
# What may follow a name in the table for it to be that model still: a date, a number of the kind -001, or -latest.
_VERSION: Final = re.compile(r"(?:[-@](?:\d{3,8}(?:-\d{2}){0,2}|\d{2}-\d{4}|latest))?", re.ASCII)


class BadPrices(ValueError):
    """A table of prices cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float
    cached: float | None = None  # None: as input


class Prices:
    """A table of prices by `provider/model`."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        # The longest name first: gpt-4o-mini is no version of gpt-4o.
        self._prices = sorted(prices.items(), key=lambda row: -len(row[0]))

    @classmethod
    def read(cls, path: Path) -> Prices:
        """Raises BadPrices, which names the file and the row."""
        try:
            table = read_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BadPrices(f"the prices in {path} cannot be read: {error}") from error
        match table:
            case {"models": dict(models)}:
                return cls({name: _price(path, name, row) for name, row in models.items()})
        raise BadPrices(f'the prices in {path} have no "models".')

    def cost(self, provider: str, model: str, counted: Counted) -> float | None:
        """US dollars; None for a model without a price, whose cost nobody here knows."""
        price = self._find(f"{provider}/{model}")
        if price is None:
            return None
        cached = min(counted.cached or 0, counted.prompt)
        read_again = cached * (price.input if price.cached is None else price.cached)
        dollars = (counted.prompt - cached) * price.input + read_again + counted.completion * price.output
        return round(dollars / _PER, _DECIMALS)

    def _find(self, name: str) -> Price | None:
        return next((price for start, price in self._prices if _is_version_of(name, start)), None)


def _is_version_of(name: str, start: str) -> bool:
    return name.startswith(start) and _VERSION.fullmatch(name, len(start)) is not None


def _price(path: Path, name: str, row: Any) -> Price:
    match row:
        case {
            "input": int() | float() as given,
            "output": int() | float() as made,
            "cached": int() | float() as cached,
        }:
            return Price(input=given, output=made, cached=cached)
        case {"input": int() | float() as given, "output": int() | float() as made}:
            cached = row.get("cached")
            if cached is None or isinstance(cached, int | float):
                return Price(input=given, output=made, cached=cached)
    raise BadPrices(f'the price of {name} in {path} is not {{"input": …, "output": …, "cached": …}}, in dollars.')


_ours: dict[str, Path] = {"table": OUR_TABLE}


def configure(*, table: Path) -> None:
    """Take the prices from *table* from now on. Raises BadPrices."""
    Prices.read(table)
    _ours["table"] = table
    prices.cache_clear()


@cache
def prices() -> Prices:
    """The table in use."""
    return Prices.read(_ours["table"])
