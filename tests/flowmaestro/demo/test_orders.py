from __future__ import annotations

from pathlib import Path

import pytest

from flowmaestro.demo import Order, read_orders

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_read_orders_of_the_examples_reads_every_row() -> None:
    """The shop's orders, numbered without a gap."""
    orders = read_orders(EXAMPLES / "orders.csv")

    assert list(orders) == list(range(1001, 1041))
    assert orders[1017] == Order(
        id=1017,
        customer="Marta Nowak",
        email="marta.nowak@example.pl",
        country="PL",
        sku="LMP-DSK-05",
        product="Aurora desk lamp",
        quantity=8,
        amount=712.0,
        currency="EUR",
        message="We open our reading room on Friday. Will the lamps be here by then?",
    )


def test_read_orders_uses_only_names_that_belong_to_nobody() -> None:
    """RFC 2606 keeps these apart, so that no mail of a demo reaches a person."""
    domains = {order.email.rpartition("@")[2] for order in read_orders(EXAMPLES / "orders.csv").values()}

    reserved = {"example.com", "example.org", "example.net"}
    assert {domain for domain in domains - reserved if "example" not in domain.split(".")} == set()


def test_read_orders_with_a_bad_row_names_its_line(tmp_path: Path) -> None:
    """Forty rows are too many to look through."""
    path = tmp_path / "orders.csv"
    header, first, *_ = (EXAMPLES / "orders.csv").read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([header, first, first.replace("249.00", "dear")]), encoding="utf-8")

    with pytest.raises(ValueError, match="could not convert") as caught:
        read_orders(path)

    assert str(caught.value).startswith(f"{path}, line 3: ")
