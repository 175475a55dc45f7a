"""How many messages wait in a lane, as the broker counts them."""

from __future__ import annotations

from celery import current_app

from handlers import Lane


def depth(lane: Lane) -> int:
    """Messages of *lane* that no worker has fetched yet. Raises what the broker's client raises when it is away."""
    # Declared as Celery does it, not passively: there kombu asks Redis whether the key exists, and forgets our prefix.
    queue = current_app.amqp.queues[lane.value]
    with current_app.connection_for_read() as connection:
        return int(queue.bind(connection.default_channel).queue_declare().message_count)
