"""What something cost, as people read it."""

from __future__ import annotations

from typing import Final

_CENT: Final = 0.01


def dollars(amount: float) -> str:
    """`$12.40`, `$0.0031`: cents, and below a cent two figures that matter; "" for nothing."""
    if amount <= 0:
        return ""
    if amount >= _CENT:
        return f"${amount:,.2f}"
    if amount < 0.000_001:  # noqa: PLR2004 -- less than any price of a token
        return "<$0.000001"
    places = next(places for places in range(3, 9) if amount >= 10**-places) + 1
    return f"${amount:.{places}f}"
