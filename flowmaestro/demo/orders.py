"""The orders of the example shop."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from pathlib import Path

from handlers import JSONObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A row of `examples/orders.csv`."""

    id: int
    customer: str
    email: str
    country: str  # ISO 3166-1, two letters
    sku: str
    product: str
    quantity: int
    amount: float  # of the whole order
    currency: str
    message: str  # from the customer; may be empty

    def to_json(self) -> JSONObject:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"order {self.id} by {self.customer} ({self.country}): "
            f"{self.quantity} pieces of {self.product}, {self.amount:,.2f} {self.currency}"
        )


def read_orders(path: Path) -> dict[int, Order]:
    """The orders by number. Raises ValueError naming the line that cannot be read."""
    orders = {}
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):  # line 1 has the names
            try:
                order = _order(row)
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: {error!r}") from error
            orders[order.id] = order
    return orders


def _order(row: dict[str, str]) -> Order:
    return Order(
        id=int(row["id"]),
        customer=row["customer"],
        email=row["email"],
        country=row["country"],
        sku=row["sku"],
        product=row["product"],
        quantity=int(row["quantity"]),
        amount=float(row["amount"]),
        currency=row["currency"],
        message=row["message"],
    )
