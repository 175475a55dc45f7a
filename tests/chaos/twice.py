"""Every Celery message is delivered twice, as a broker may: the same id, the same place in its chord."""

from __future__ import annotations

from typing import Any, Final

from celery import current_app
from celery.signals import after_task_publish

from tests.chaos import ledger

WANTED: Final = "CHAOS_TWICE"  # the variable by which a worker is told


def begin() -> None:
    """Double what this process sends from now on."""
    after_task_publish.connect(_send_again, dispatch_uid=WANTED)


def end() -> None:
    after_task_publish.disconnect(dispatch_uid=WANTED)


def _send_again(*, headers: dict[str, Any], body: Any, exchange: str, routing_key: str, **_: Any) -> None:
    ledger.note_doubled(headers["id"])
    with current_app.producer_pool.acquire(block=True) as producer:
        producer.publish(
            body,
            headers=headers,
            exchange=exchange,
            routing_key=routing_key,
            serializer=current_app.conf.task_serializer,
            correlation_id=headers["id"],
            retry=False,
        )
