from __future__ import annotations

import ssl
from datetime import UTC, datetime

import httpx2
import pytest

from handlers import network
from handlers.errors import HandlerError, InputError, NodeTimeout, ProviderError, Unreachable
from handlers.network.calls import Call

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "kind", "code", "retryable"),
    [
        (httpx2.ReadTimeout("slow"), NodeTimeout, "timeout", True),
        (httpx2.ConnectError("refused"), Unreachable, "unreachable", True),
        (httpx2.RemoteProtocolError("hung up"), Unreachable, "unreachable", True),
        (httpx2.LocalProtocolError("bad length"), InputError, "invalid_input", False),  # the request's own fault
        (httpx2.UnsupportedProtocol("ftp"), InputError, "invalid_input", False),
        (httpx2.DecodingError("no gzip"), ProviderError, "invalid_response", False),
    ],
)
def test_failure_of_each_kind_says_whose_move_it_is(
    error: httpx2.RequestError, kind: type[HandlerError], code: str, retryable: bool
) -> None:
    """Another attempt is worth while when nothing was answered, not when the request cannot be right."""
    failure = network.failure_of(error, call=Call(seconds=3), subject="GET http://a.test/")

    assert (type(failure), failure.code, failure.retryable) == (kind, code, retryable)


def test_failure_of_a_bad_certificate_is_not_retried() -> None:
    """No waiting makes a certificate good."""
    error = httpx2.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError()

    failure = network.failure_of(error, call=Call(seconds=3), subject="GET https://a.test/")

    assert (type(failure), failure.code, failure.retryable) == (Unreachable, "tls", False)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT"}, 30),
        ({"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT"}, 0),  # already past
        (
            {"Retry-After": "Sun, 01 Mar 2026 13:00:30 GMT", "Date": "Sun, 01 Mar 2026 13:00:00 GMT"},
            30,
        ),  # a wrong clock
        ({"Retry-After": "7", "Retry-After-Ms": "1500"}, 1.5),  # the finer one
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": "Sun, 99 Mar 2026 12:00:30 GMT"}, None),
    ],
)
def test_retry_after_in_each_form_is_seconds(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, milliseconds or a date; what cannot be read says nothing."""
    assert network.retry_after(httpx2.Headers(headers, encoding="utf-8"), now=NOW) == seconds
