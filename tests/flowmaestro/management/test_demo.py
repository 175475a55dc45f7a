from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"order": 7}, "There is no order 7; the orders are 1001 to 1040."),
        ({"order": 0}, "There is no order 0; the orders are 1001 to 1040."),
        ({"example": "stock-watch", "order": 1017}, "--order: stock-watch works on the stock, not on orders."),
    ],
)
def test_demo_of_an_order_that_makes_no_sense_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], words: str
) -> None:
    """A stack takes seconds to start; a slip is told at once."""
    monkeypatch.setattr("flowmaestro.management.commands.demo.ensure_stage", lambda *_, **__: pytest.fail("started"))

    with pytest.raises(CommandError) as caught:
        call_command("demo", **options)

    assert str(caught.value) == words


def test_demo_knows_its_examples_by_name() -> None:
    """And says which there are."""
    with pytest.raises(CommandError, match="'order-triage', 'triage-all-orders', 'stock-watch', 'restock', 'ref"):
        call_command("demo", "--example", "nope")
