"""Around each call of a provider: what the site's limits say, the attempt's deadline, how long a silence may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from handlers import network
from handlers.errors import HandlerError, NodeTimeout, Unreachable
from handlers.llm.access import find_access
from handlers.llm.dialect import Access, Dialect
from handlers.llm.fields import FIRST_TOKEN_SECONDS, IDLE_SECONDS, AccessFields, Choice
from handlers.llm.providers import Provider, provider_named
from handlers.network import Call
from handlers.ports import Lent

T = TypeVar("T")


def reach(choice: Choice, lent: Lent) -> tuple[Provider, Access]:
    """The provider of *choice*, and how to get at it. Raises ConfigError."""
    provider = provider_named(choice.provider)
    access = find_access(
        provider, lent, connection_id=choice.connection_id, api_key=choice.api_key, base_url=choice.base_url
    )
    return provider, access


@contextmanager
def calling(
    lent: Lent, access: Access, fields: AccessFields, *, model: str, patience: float | None = None
) -> Iterator[Call]:
    """Within the limits of *access*, for which it waits *patience* seconds, and in the time that the attempt has left.

    Raises RateLimited when there is no room, ProviderError (`circuit_open`) while the service is given a rest, and
    NodeTimeout in words that name *model*.
    """
    limits = lent.limits
    with (
        limits.slot(access.place, at_once=fields.max_at_once, per_minute=fields.max_per_minute, patience=patience),
        limits.breaker(access.place),
        network.call(lent, seconds=lent.remaining()) as call,
    ):
        try:
            yield call
        except NodeTimeout as error:
            if call.is_overdue:
                raise NodeTimeout(f"{model}: no complete answer within {call.seconds:g} s.") from error
            raise


def call(lent: Lent, fields: AccessFields, model: str, use: Callable[[Dialect, Access], T]) -> T:
    """What *use* makes of one call of *model*, of the node's own provider: for all that does not stream."""
    provider, access = reach(fields.choice(model), lent)
    with calling(lent, access, fields, model=model):
        return use(provider.dialect, access)


class Patience:
    """How long a stream may be silent: until its first piece, and from one to the next."""

    def __init__(self, call: Call, *, first: float, idle: float, model: str) -> None:
        self._call, self._first, self._idle, self._model = call, first, idle, model
        self._has_begun = False

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Around the whole stream. Raises Unreachable or NodeTimeout (`first_token_timeout`, `idle_timeout`)."""
        self._call.expect(self._first)
        try:
            yield
        except NodeTimeout as error:
            if self._call.is_overdue:
                raise
            raise self._stalled() from error
        finally:
            self._call.expect(None)

    def heard(self, *, is_answer: bool) -> None:
        """Something came. Before the answer begins, signs of life alone do not count."""
        self._has_begun = self._has_begun or is_answer
        if self._has_begun:
            self._call.expect(self._idle)

    def _stalled(self) -> HandlerError:
        if self._has_begun:
            told = f"{self._model}: the answer stopped, with nothing for {self._idle:g} s (idleTimeout)."
            return _silence(told, "idle_timeout", is_long=self._idle >= IDLE_SECONDS)
        told = f"{self._model}: the answer did not begin within {self._first:g} s (firstTokenTimeout)."
        return _silence(told, "first_token_timeout", is_long=self._first >= FIRST_TOKEN_SECONDS)


def _silence(told: str, code: str, *, is_long: bool) -> HandlerError:
    """Of a wait that an author cut short nobody learns that the service is down, or one could have it shut for all."""
    return Unreachable(told, code=code) if is_long else NodeTimeout(told, code=code)
