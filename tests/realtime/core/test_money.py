from __future__ import annotations

import pytest

from realtime.core import dollars


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, ""),
        (1234.5, "$1,234.50"),
        (0.25, "$0.25"),
        (0.01, "$0.01"),
        (0.009, "$0.0090"),
        (0.00312, "$0.0031"),
        (0.000123, "$0.00012"),
        (0.0000015, "$0.0000015"),
        (0.0000001, "<$0.000001"),
    ],
)
def test_cost_is_told_in_two_figures_that_matter(amount: float, text: str) -> None:
    """Cents, and what is below a cent is no nothing."""
    assert dollars(amount) == text
