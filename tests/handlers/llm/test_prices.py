from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.llm import BadPrices, Counted, use_prices
from handlers.llm.chat import Meter
from handlers.llm.prices import OUR_TABLE, Price, Prices, prices


@pytest.fixture(autouse=True)
def our_prices_afterwards() -> Iterator[None]:
    yield
    use_prices(table=OUR_TABLE)


def table(path: Path, models: Any) -> Path:
    path.write_text(json.dumps({"models": models}))
    return path


def test_cost_counts_input_output_and_what_was_cached() -> None:
    """Each at its own price, in dollars per million."""
    ours = Prices({"p/m": Price(input=2, output=10, cached=0.5)})

    cost = ours.cost("p", "m", Counted(prompt=1_000_000, completion=100_000, cached=500_000))

    assert cost == 1 + 0.25 + 1


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("m", 1),
        ("m-2024-08-06", 1),
        ("m-20250929", 1),
        ("m-001", 1),
        ("m-08-2024", 1),
        ("m-latest", 1),
        ("m-mini", 2),
        ("m-mini-2024-07-18", 2),
        ("m-5", None),  # a later model, at another price
        ("m-pro", None),
        ("m.5", None),
        ("n", None),
    ],
)
def test_cost_is_that_of_the_model_and_of_its_dated_versions(model: str, price: float | None) -> None:
    """A price that is not known is no price: a guess would be taken for a bill."""
    ours = Prices({"p/m": Price(input=1, output=0), "p/m-mini": Price(input=2, output=0)})

    assert ours.cost("p", model, Counted(prompt=1_000_000, completion=0)) == price
    assert ours.cost("q", model, Counted(prompt=1_000_000, completion=0)) is None


def test_prices_of_ours_are_readable_and_positive() -> None:
    """The table that comes along."""
    told = json.loads(OUR_TABLE.read_text())

    assert Prices.read(OUR_TABLE)
    assert set(told) == {"about", "date", "models"}
    assert all(row["input"] > 0 <= row["output"] for row in told["models"].values())
    assert list(told["models"]) == sorted(told["models"])
    assert all(row.get("cached", 0) < row["input"] for row in told["models"].values())


def test_prices_of_a_site_replace_ours(tmp_path: Path) -> None:
    """All of them: what it does not name has no price there."""
    use_prices(table=table(tmp_path / "prices.json", {"p/m": {"input": 1, "output": 1}}))

    assert prices().cost("p", "m", Counted(prompt=1_000_000, completion=0)) == 1
    assert prices().cost("openai", "gpt-4o", Counted(prompt=1, completion=1)) is None


@pytest.mark.parametrize("models", [None, [], {"p/m": {"input": 1}}, {"p/m": {"input": 1, "output": 1, "cached": "x"}}])
def test_prices_that_cannot_be_read_say_where(tmp_path: Path, models: Any) -> None:
    """The site's operator mends them before the workers start."""
    path = table(tmp_path / "prices.json", models)

    with pytest.raises(BadPrices, match=str(path)):
        use_prices(table=path)


def test_meter_adds_up_all_calls_and_knows_no_price_of_half() -> None:
    """A sum of which a part is unknown is unknown."""
    meter = Meter()
    assert meter.usage(provider="openai", model="gpt-4o") is None

    meter.add(Counted(prompt=1_000_000, completion=0), provider="openai", model="gpt-4o")
    meter.add(None, provider="openai", model="gpt-4o")
    known = meter.usage(provider="openai", model="gpt-4o")
    meter.add(Counted(prompt=1, completion=2, thinking=1), provider="acme", model="m")
    unknown = meter.usage(provider="acme", model="m")

    assert known is not None
    assert unknown is not None
    assert (known.prompt_tokens, known.cost_usd) == (1_000_000, 2.5)
    assert (unknown.prompt_tokens, unknown.completion_tokens, unknown.thinking_tokens, unknown.cost_usd) == (
        1_000_001,
        2,
        1,
        None,
    )
