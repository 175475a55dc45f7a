"""What a provider's refusal means to a node: one table for all dialects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from handlers import network
from handlers.errors import RETRYABLE_STATUSES, ConfigError, HandlerError, ProviderError, RateLimited
from handlers.llm.dialect import Access

_LONGEST: Final = 2_000  # characters of what a service says
# No waiting fills an account. Source: the error references of OpenAI, Anthropic (billing_error) and OpenRouter (402).
_EMPTY_ACCOUNT: Final = frozenset({"insufficient_quota", "billing_error", "billing_hard_limit_reached"})
_EMPTY_WORDS: Final = ("credit balance is too low",)
# In the middle of a stream there is no status any more. Source: as above, and Google's canonical codes.
PASSING_KINDS: Final = frozenset(
    {"server_error", "api_error", "overloaded_error", "timeout_error", "rate_limit_error", "rate_limit_exceeded"}
    | {"UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
)


def refusal(
    access: Access,
    model: str,
    *,
    status: int,
    said: str,
    kinds: Collection[str | None] = (),
    headers: Mapping[str, str] | None = None,
    wait: float | None = None,
) -> HandlerError:
    """The error for an answer with an error *status*; *kinds* are the words the service has for it.

    *wait*: seconds that it asked for elsewhere than in the *headers*.
    """
    message = told(access, model, said)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        source = access.source or "it was asked with"
        return ConfigError(f"{message} The key {source} was refused.", code="credentials_refused")
    if (
        status == HTTPStatus.PAYMENT_REQUIRED
        or _EMPTY_ACCOUNT & set(kinds)
        or any(word in said for word in _EMPTY_WORDS)
    ):
        return ProviderError(message, status=status, code="insufficient_quota")
    if wait is None and headers is not None:
        wait = network.retry_after(headers, now=datetime.now(UTC))
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RateLimited(message, status=status, retry_after=wait)
    return ProviderError(message, status=status, retryable=status in RETRYABLE_STATUSES, retry_after=wait)


def failure_in_stream(access: Access, model: str, *, said: str, kinds: Collection[str | None] = ()) -> HandlerError:
    """The error for one that was told once the answer had begun, or with a status that said that all is well."""
    message = told(access, model, said)
    if _EMPTY_ACCOUNT & set(kinds):
        return ProviderError(message, code="insufficient_quota")
    return ProviderError(message, retryable=bool(PASSING_KINDS & set(kinds)))


def unreadable(access: Access, model: str, why: str = "the answer cannot be read.") -> ProviderError:
    """The error for an answer that is none of the protocol's."""
    return ProviderError(told(access, model, why), code="invalid_response")


@contextmanager
def reading(access: Access, model: str) -> Iterator[None]:
    """Around what takes an answer apart: one of another shape than the protocol's is the service's fault, not a bug."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise unreadable(access, model) from error


def told(access: Access, model: str, said: str) -> str:
    """*said* about *model*, without the key: some services repeat what they were given."""
    text = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    return f"{model}: {access.hide(text)}"
