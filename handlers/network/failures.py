"""What a failed call means to a node."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from handlers.errors import HandlerError, InputError, NodeTimeout, ProviderError, Unreachable
from handlers.network.calls import Call, causes


def failure_of(error: httpx2.RequestError, *, call: Call, subject: str) -> HandlerError:
    """The error to raise for one that httpx raised in *call*. *subject* names the request without its secrets."""
    match error:
        case httpx2.TimeoutException():
            return NodeTimeout(f"{subject}: no complete answer within {call.seconds:g} s.")
        case httpx2.UnsupportedProtocol() | httpx2.LocalProtocolError():
            # What exactly does not fit is left out: it may be the header with the key.
            return InputError(f"{subject}: a request like this cannot be sent: {type(error).__name__}.")
        case httpx2.DecodingError():
            return ProviderError(f"{subject}: the answer cannot be unpacked: {error}", code="invalid_response")
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error)):
        return Unreachable(f"{subject}: the certificate is not to be trusted: {error}", code="tls", retryable=False)
    return Unreachable(f"{subject}: {error or type(error).__name__}")


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """Seconds that an answer asks to wait before another attempt; None when it does not say.

    Source: RFC 9110, 10.2.3: seconds, or a date, which is read against the server's own. OpenAI also sends
    milliseconds.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        written = headers.get(name, "").strip()
        if written.isascii() and written.replace(".", "", 1).isdigit():
            return float(written) * unit
    then = _date(headers.get("retry-after"))
    return None if then is None else max(0.0, (then - (_date(headers.get("date")) or now)).total_seconds())


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
