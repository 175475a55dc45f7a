"""The example workflow, as a drawing and in its formulas. That it runs is shown in tests/e2e."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flowmaestro.demo import read_orders
from handlers import JSONObject
from handlers.formula import Formula
from workflows.services import examine

EXAMPLES = Path(__file__).parents[3] / "examples"
DEFINITION: dict[str, Any] = json.loads((EXAMPLES / "order-triage.json").read_text(encoding="utf-8"))
ORDERS = read_orders(EXAMPLES / "orders.csv")


def formula(node: str) -> Formula:
    return Formula(DEFINITION["nodes"][node]["config"]["expression"])


def read(number: int) -> JSONObject:
    """What the node `order` makes of a row."""
    order = formula("order")(ORDERS[number].to_json())
    assert isinstance(order, dict)
    return order


def test_example_has_no_issues() -> None:
    """What newcomers read first raises no warning."""
    examined = examine(DEFINITION, workspace_id=UUID(int=0))

    assert [issue.to_json() for issue in examined.issues] == []
    assert examined.is_valid


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        (1001, "domestic"),  # Germany
        (1017, "europe"),  # Poland
        (1022, "world"),  # Great Britain left
        (1040, "world"),  # Switzerland was never in
        (1013, "world"),  # Japan
    ],
)
def test_order_is_given_its_zone(number: int, zone: str) -> None:
    """How it travels, and what is charged, follows from it."""
    assert read(number) == {**ORDERS[number].to_json(), "zone": zone}


@pytest.mark.parametrize(
    ("number", "score", "because"),
    [
        (1001, 0, []),
        (1006, 20, ["more than ten pieces"]),  # one reason is a list too
        (1013, 45, ["leaves the European Union", "ordered from a free mailbox"]),
        (1028, 85, ["worth more than 1,500", "more than ten pieces", "leaves the European Union"]),
        (
            1016,  # all of them
            135,
            [
                "worth more than 1,500",
                "more than ten pieces",
                "leaves the European Union",
                "ordered from a free mailbox",
                "hurry, another address or gift cards",
            ],
        ),
    ],
)
def test_risk_rules_add_up_and_say_why(number: int, score: int, because: list[str]) -> None:
    """A person can follow how the score came about."""
    assert formula("risk")(read(number)) == {"score": score, "because": because}


def test_summary_puts_a_hold_before_everything_else() -> None:
    """What is held is not sent, whatever the stock says. Steps of branches that did not run are null."""
    terms: JSONObject = {"care": "our service desk", "carrier": "parcel service", "days": 4, "fee": 19}
    steps: list[Any] = [{"step": "hold"}, {"step": "send"}, None, None]

    summary = formula("summary")({"order": read(1017), "terms": terms, "steps": steps, "risk": {"score": 70}})

    assert summary == {
        "order": 1017,
        "next": {"step": "hold"},
        "care": "our service desk",
        "delivery": "parcel service, 4 days",
        "total": 731.0,
        "risk": 70,
    }
