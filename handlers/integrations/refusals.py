"""Answers that are no result: what each means to a node."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING

from handlers import network
from handlers.base import JSONObject, JSONValue
from handlers.errors import RETRYABLE_STATUSES, ConfigError, HandlerError, ProviderError, RateLimited
from handlers.integrations.answers import Answer, pick
from handlers.values import text_of

if TYPE_CHECKING:
    from handlers.integrations.provider import Provider

MAX_TOLD_CHARACTERS = 2_000  # of an answer that is told in an error
MAX_SAID_CHARACTERS = 300  # of what the service says, in a message


class Meaning(Enum):
    """What a refusal comes down to, and the code of its error."""

    CREDENTIAL = "credential_refused"  # the key is wrong or has run out
    FORBIDDEN = "forbidden"  # the key is good, and may not do this
    MISSING = "not_found"
    REJECTED = "rejected"  # the request is not acceptable; sent again it will not be either
    RATE = "rate_limited"
    LATER = "provider_error"  # it may pass


_BY_STATUS: Mapping[int, Meaning] = {
    HTTPStatus.UNAUTHORIZED: Meaning.CREDENTIAL,
    HTTPStatus.FORBIDDEN: Meaning.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Meaning.MISSING,
    HTTPStatus.GONE: Meaning.MISSING,
    **dict.fromkeys(RETRYABLE_STATUSES, Meaning.LATER),
    HTTPStatus.TOO_MANY_REQUESTS: Meaning.RATE,
}


def error_of(answer: Answer, provider: Provider, *, subject: str) -> HandlerError | None:
    """The error that *answer* is; None when it is a result. *subject* names the request without its secrets."""
    is_success = HTTPStatus(200) <= answer.status < HTTPStatus(300)
    if is_success and not (provider.is_refused and provider.is_refused(answer.data)):
        return None
    code = next((text_of(each) for path in provider.codes_at if (each := pick(answer.data, path)) is not None), None)
    said = next((text_of(each) for path in provider.told_at if (each := pick(answer.data, path))), code)
    meaning = _meaning(answer, provider, code)
    verb = "refused" if is_success else f"answered {answer.status}"
    message = f"{subject} {verb}" + (f": {said[:MAX_SAID_CHARACTERS]}" if said else ".")
    details = _details(answer, provider, code)
    match meaning:
        case Meaning.CREDENTIAL:
            return ConfigError(f"{message} Check the credential in connectionId.", code=meaning.value, details=details)
        case Meaning.RATE:
            return RateLimited(message, status=answer.status, retry_after=_wait(answer, provider), details=details)
    return ProviderError(
        message,
        code=meaning.value,
        status=answer.status,
        retryable=meaning is Meaning.LATER,
        retry_after=network.retry_after(answer.headers, now=datetime.now(UTC)),
        details=details,
    )


def _meaning(answer: Answer, provider: Provider, code: str | None) -> Meaning:
    if code is not None and code in provider.meanings:
        return provider.meanings[code]
    # Source: GitHub and others: 403 with an allowance that is used up, or with a time to come back.
    is_spent = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    if answer.status == HTTPStatus.FORBIDDEN and is_spent:
        return Meaning.RATE
    return _BY_STATUS.get(answer.status, Meaning.REJECTED)


def _wait(answer: Answer, provider: Provider) -> float | None:
    now = datetime.now(UTC)
    asked = network.retry_after(answer.headers, now=now)
    if asked is not None:
        return asked
    resets_at = answer.headers.get("x-ratelimit-reset", "")  # seconds since 1970; of some services seconds from now
    if resets_at.isdigit() and int(resets_at) > now.timestamp() / 2:
        return max(0.0, int(resets_at) - now.timestamp())
    return provider.rate_pause


def _details(answer: Answer, provider: Provider, code: str | None) -> JSONObject:
    body = text_of(answer.data)
    told: dict[str, JSONValue] = {
        "provider": provider.name,
        "status": answer.status,
        "body": body[:MAX_TOLD_CHARACTERS],
        "cut": len(body) > MAX_TOLD_CHARACTERS,
    }
    return told if code is None else told | {"providerCode": code}
