"""Access tokens from an OAuth2 token endpoint. Source: RFC 6749, 4.4, 5 and 6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx2

from handlers import HandlerError, ProviderError, RateLimited, network
from handlers.errors import RETRYABLE_STATUSES
from handlers.values import read_json
from workflows.core.masking import find_fault
from workflows.credentials.kind import Borrower
from workflows.credentials.kinds.oauth2 import OAuth2

TOKEN_SECONDS: Final = 15.0  # for the whole answer: others wait for it
_MAX_BYTES: Final = 256 * 1024
_LONGEST_TOLD: Final = 300  # characters of what the provider says


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a token endpoint has given out."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)  # None: the present one stays
    expires_at: datetime | None  # None: the provider did not say


class GrantRefused(Exception):
    """The provider gives out no further token for this grant: somebody has to connect the credential again."""


def renewed(client: OAuth2, borrower: Borrower) -> Tokens:
    """New tokens by the grant that *client* has.

    Raises GrantRefused, ProviderError, and what *borrower* is called off by.
    """
    if client.grant == "client_credentials":
        return request_tokens(client, {"grant_type": "client_credentials"}, borrower)
    if client.refresh_token is None:
        raise GrantRefused("it has no refresh token")
    return request_tokens(
        client, {"grant_type": "refresh_token", "refresh_token": client.refresh_token.strip()}, borrower
    )


def request_tokens(client: OAuth2, grant: Mapping[str, str], borrower: Borrower) -> Tokens:
    """What the token endpoint of *client* gives for *grant*. Raises as `renewed` does.

    Everything secret of the client and of the answer is hidden from what *borrower* tells.
    """
    borrower.hide(*client.secrets())
    subject = f"POST {httpx2.URL(client.token_url).copy_with(query=None, fragment=None)}"
    asked_at = datetime.now(UTC)
    with network.call(borrower, seconds=TOKEN_SECONDS) as call:
        try:
            with network.client().stream("POST", client.token_url, **_written(client, grant)) as response:
                content = network.read(response, max_bytes=_MAX_BYTES)
        except httpx2.RequestError as error:
            raise network.failure_of(error, call=call, subject=subject) from error
    answer = _read(content)
    for name in ("access_token", "refresh_token", "id_token"):
        if isinstance(token := answer.get(name), str) and find_fault(token) is None:
            borrower.hide(token)
    # Some tell an error with status 200.
    if not response.is_success or "error" in answer:
        raise _refusal(response, answer, subject=subject)
    token, refresh_token = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(token, str) or not token:
        raise ProviderError(f"{subject}: the answer has no access_token.", code="invalid_response")
    return Tokens(
        access_token=token,
        refresh_token=refresh_token if isinstance(refresh_token, str) and refresh_token else None,
        expires_at=_expiring(answer.get("expires_in"), asked_at),
    )


def _written(client: OAuth2, grant: Mapping[str, str]) -> dict[str, Any]:
    form = dict(grant)
    headers = {"Accept": "application/json"}
    if client.scopes is not None and grant["grant_type"] != "authorization_code":
        form["scope"] = client.scopes
    if client.auth_style == "header" and client.client_secret is not None:
        headers["Authorization"] = f"Basic {client.client_in_header()}"
    else:
        form["client_id"] = client.client_id
        if client.client_secret is not None:
            form["client_secret"] = client.client_secret
    return {"data": form, "headers": headers}


def _read(content: bytes) -> dict[str, Any]:
    try:
        answer = read_json(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(response: httpx2.Response, answer: Mapping[str, Any], *, subject: str) -> HandlerError | GrantRefused:
    said = ": ".join(str(answer[name]) for name in ("error", "error_description") if answer.get(name))
    told = f"{subject} answered {response.status_code} {response.reason_phrase}".rstrip()
    told += f" ({said[:_LONGEST_TOLD]})." if said else "."
    if answer.get("error") == "invalid_grant":
        return GrantRefused(told)
    wait = network.retry_after(response.headers, now=datetime.now(UTC))
    if response.status_code == httpx2.codes.TOO_MANY_REQUESTS:
        return RateLimited(told, status=response.status_code, retry_after=wait)
    may_pass = response.status_code in RETRYABLE_STATUSES
    code = "provider_error" if may_pass else "credential_refused"
    return ProviderError(told, status=response.status_code, code=code, retryable=may_pass, retry_after=wait)


def _expiring(seconds: object, asked_at: datetime) -> datetime | None:
    """A number, which some write as a text. One that is beyond all calendars is as good as none."""
    try:
        return asked_at + timedelta(seconds=float(str(seconds)))
    except (ValueError, OverflowError):
        return None
