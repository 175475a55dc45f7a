"""The examples on real input: the orders and the stock of a shop, worked through before one's eyes."""

from flowmaestro.demo.examples import EXAMPLES, Example
from flowmaestro.demo.orders import Order, read_orders
from flowmaestro.demo.stage import ensure_stage

__all__ = ["EXAMPLES", "Example", "Order", "ensure_stage", "read_orders"]
