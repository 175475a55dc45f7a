from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers import ConfigError, HandlerError, ProviderError, RateLimited
from handlers.integrations import Meaning
from tests.handlers.integrations.played import reply
from tests.handlers.integrations.toys import do, shop

ARTICLE = {"shelf": "a", "article": "pen"}


def refused(data: Any = None, *, status: int, headers: dict[str, str] | None = None, **provider: Any) -> HandlerError:
    with pytest.raises(HandlerError) as failure:
        do(shop(**provider), "put", ARTICLE, reply(data, status=status, headers=headers))
    return failure.value


@pytest.mark.parametrize(
    ("status", "headers", "kind", "code", "retryable"),
    [
        (301, {"Location": "https://elsewhere.example/"}, ProviderError, "rejected", False),  # never as a GET
        (400, {}, ProviderError, "rejected", False),
        (401, {}, ConfigError, "credential_refused", False),
        (403, {}, ProviderError, "forbidden", False),
        (403, {"Retry-After": "5"}, RateLimited, "rate_limited", True),
        (403, {"X-RateLimit-Remaining": "0"}, RateLimited, "rate_limited", True),
        (404, {}, ProviderError, "not_found", False),
        (409, {}, ProviderError, "rejected", False),
        (422, {}, ProviderError, "rejected", False),
        (429, {}, RateLimited, "rate_limited", True),
        (500, {}, ProviderError, "provider_error", True),
        (503, {}, ProviderError, "provider_error", True),
    ],
)
def test_refusal_is_an_error_by_its_status(
    status: int, headers: dict[str, str], kind: type, code: str, retryable: bool
) -> None:
    """And says whose move it is."""
    error = refused({"message": "No."}, status=status, headers=headers)

    assert (type(error), error.code, error.retryable) == (kind, code, retryable)
    assert f"answered {status}: No." in str(error)
    assert error.details == {"provider": "shop", "status": status, "body": '{"message":"No."}', "cut": False}


def test_refusal_is_told_by_what_the_provider_says() -> None:
    """Its code goes before the status, and its words into the message."""
    error = refused(
        {"error": {"code": 7, "text": "Sold out"}},
        status=400,
        told_at=("nothing", "error.text"),
        codes_at=("error.code",),
        meanings={"7": Meaning.LATER},
    )

    assert (error.code, error.retryable, error.details["providerCode"]) == ("provider_error", True, "7")
    assert "Sold out" in str(error)


def test_refusal_without_words_names_its_status() -> None:
    assert str(refused(status=502)).endswith("/shelves/a/articles answered 502.")


def test_refusal_that_is_long_is_cut_and_says_so() -> None:
    error = refused({"message": "x" * 5_000}, status=400)

    assert error.details["cut"] is True
    assert len(str(error.details["body"])) == 2_000
    assert len(str(error)) < 500


@pytest.mark.parametrize(
    ("headers", "pause", "expected"),
    [({"Retry-After": "3"}, 9.0, 3), ({}, 9.0, 9), ({}, None, None), ({"X-RateLimit-Reset": "7"}, None, None)],
)
def test_rate_limit_waits_as_long_as_it_says_or_as_is_known(
    headers: dict[str, str], pause: float | None, expected: float | None
) -> None:
    """Seconds from now are no seconds since 1970, whatever the header is called."""
    assert refused({}, status=429, headers=headers, rate_pause=pause).retry_after == expected


def test_rate_limit_that_names_its_end_is_waited_for() -> None:
    """As GitHub does, in seconds since 1970."""
    ends_at = int(datetime.now(UTC).timestamp()) + 1_000

    waits = refused(
        {}, status=403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(ends_at)}
    ).retry_after

    assert waits is not None
    assert 900 < waits <= 1_000


def test_answer_of_status_200_may_be_a_refusal() -> None:
    error = refused({"ok": False}, status=200, is_refused=lambda data: data != {"ok": True})

    assert error.code == "rejected"
