"""The Redis that limits live in, asked by one script at a time; and what holds when it is away."""

from __future__ import annotations

import logging
import os
from threading import Lock
from time import monotonic
from typing import Any, Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

logger = logging.getLogger(__name__)

_TIMEOUT: Final = 1.0  # seconds, of one script
_REST: Final = 5.0  # seconds in which nobody asks a Redis that did not answer


class LimitStore:
    """Of this process."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._redis: redis.Redis | None = None
        self._lock = Lock()
        self._asks_again_at = 0.0  # monotonic seconds
        self._is_away = False

    def run(self, script: str, keys: list[str], *args: int | str) -> list[int] | None:
        """What *script* returns; None when Redis is away, which is told once for as long as it is."""
        if monotonic() < self._asks_again_at:
            return None
        try:
            names = [f"{settings.REDIS_PREFIX}limits:{key}" for key in keys]
            # By its hash, which the client sends anew to a server that has forgotten the script.
            found: Any = self._client().register_script(script)(keys=names, args=list(args))
        except (redis.RedisError, OSError) as error:
            self._asks_again_at = monotonic() + _REST
            if not self._is_away:
                self._is_away = True
                logger.warning(
                    "Redis is away: until it is back, limits and circuit breakers let every call through: %s", error
                )
            return None
        if self._is_away:
            self._is_away = False
            logger.warning("Redis is back: limits and circuit breakers hold again")
        return [int(number) for number in found]

    def _client(self) -> redis.Redis:
        with self._lock:
            if self._redis is None:
                self._redis = redis.Redis.from_url(
                    settings.REDIS_URL,
                    socket_timeout=_TIMEOUT,
                    socket_connect_timeout=_TIMEOUT,
                    retry=Retry(NoBackoff(), 1),  # a second try at once, for a connection that had died unnoticed
                )
            return self._redis


store = LimitStore()
os.register_at_fork(after_in_child=store.forget)
