from __future__ import annotations

from pathlib import Path

from flowmaestro.demo import read_orders
from flowmaestro.standin import shop

ORDERS = Path(__file__).parents[3] / "examples" / "orders.csv"


def test_stock_has_every_article_that_is_ordered() -> None:
    """And no other: the shop sells nothing else."""
    assert set(shop.ARTICLES) == {order.sku for order in read_orders(ORDERS).values()}


def test_pages_follow_each_other_to_the_last() -> None:
    """Every article once."""
    seen: list[str] = []
    page: int | None = 1
    while page is not None:
        found = shop.stock_page(page)
        assert found is not None
        seen += [article["sku"] for article in found["articles"]]
        page = found["next"]

    assert tuple(seen) == shop.ARTICLES


def test_pages_outside_are_none() -> None:
    assert [shop.stock_page(page) for page in (-1, 0, 4)] == [None, None, None]


def test_articles_are_offered_by_several_suppliers_and_not_by_all() -> None:
    """To choose from, and to be passed over."""
    offers = {sku: [shop.offer(supplier, sku) for supplier in shop.SUPPLIERS] for sku in shop.ARTICLES}

    assert all(any(found) for found in offers.values())
    assert not all(all(found) for found in offers.values())
    assert shop.offer("nobody", "LMP-ARC-01") is None
