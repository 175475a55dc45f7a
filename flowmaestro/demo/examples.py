"""The workflows of `examples/` and what each is shown with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flowmaestro.demo.orders import Order
from flowmaestro.standin import SUPPLIERS
from handlers import JSONObject

LEAST: Final = 10  # pieces; an article with fewer runs low


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A workflow in a file of its own name, and its inputs."""

    shows: str
    inputs: Callable[[Sequence[Order], str], JSONObject]  # of orders of the shop and the stand-in's address
    order: int | None = None  # the one that is taken where nobody names another; None: all of them
    takes_orders: bool = True
    asks_model: bool = True


def _one_order(orders: Sequence[Order], standin_url: str) -> JSONObject:
    return {"order": orders[0].to_json(), "stock_url": f"{standin_url}/stock"}


def _all_orders(orders: Sequence[Order], standin_url: str) -> JSONObject:
    return {"orders": [order.to_json() for order in orders], "stock_url": f"{standin_url}/stock"}


def _refund(orders: Sequence[Order], standin_url: str) -> JSONObject:
    limits: JSONObject = {"approve_from": 200, "answer_within_ms": 600_000, "hold_back_seconds": 3}
    return {**_one_order(orders, standin_url), **limits}


def _stock(orders: Sequence[Order], standin_url: str) -> JSONObject:
    del orders
    return {"stock_url": f"{standin_url}/stock", "least": LEAST}


def _offers(orders: Sequence[Order], standin_url: str) -> JSONObject:
    return {**_stock(orders, standin_url), "offers_url": f"{standin_url}/offers", "suppliers": [*SUPPLIERS]}


EXAMPLES: Final[Mapping[str, Example]] = {  # by the stems of their files
    "order-triage": Example(
        shows="one order: branches, joins, a switch, a model that streams, an error edge",
        inputs=_one_order,
        order=1017,  # a large one, abroad, with a question: it takes a way through most of the drawing
    ),
    "triage-all-orders": Example(
        shows="all orders side by side, each in a run of its own: a parallel, sub-workflows, an error edge, a response",
        inputs=_all_orders,
    ),
    "stock-watch": Example(
        shows="the stock page by page, asked again while it is busy: a loop with a condition, retries, a variable",
        inputs=_stock,
        takes_orders=False,
        asks_model=False,
    ),
    "restock": Example(
        shows="every supplier asked for every article that runs low: a loop in a parallel, error edges, a sub-workflow",
        inputs=_offers,
        takes_orders=False,
        asks_model=False,
    ),
    "refund-approval": Example(
        shows="a refund that a person approves, or says why not: questions with a time limit, work beside them, a wait",
        inputs=_refund,
        order=1029,  # a desk that is out of order, for a large amount
        asks_model=False,
    ),
}
