"""The example that shows the main job on real input: an order of a shop, triaged by a workflow before one's eyes."""

from flowmaestro.demo.orders import Order, read_orders
from flowmaestro.demo.stage import ensure_stage

__all__ = ["Order", "ensure_stage", "read_orders"]
