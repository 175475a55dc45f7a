"""How a worker waits for a broker that is away."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer

logger = logging.getLogger(__name__)


class Consumer(CeleryConsumer):
    """Celery's own, but it survives the loss of its broker, and looks every other second whether that is back.

    The habit of Celery's is to wait two seconds longer each time, half a minute in the end: nothing goes on until then.
    """

    def ensure_connected(self, conn: Any) -> Any:
        conn.ensure_connection = partial(conn.ensure_connection, interval_start=1, interval_step=1, interval_max=2)
        return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Drop the connection, however that goes.

        With Redis, Kombu may close it twice. The second time it wants to give back what is not acknowledged, over a
        connection that has forgotten its address: an AttributeError, and for Celery the end of the process.
        """
        try:
            super().on_connection_error_after_connected(exc)
        except Exception:  # what is not acknowledged is in the rows, too
            logger.warning("the connection to the broker could not be closed", exc_info=True)
