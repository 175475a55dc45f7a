"""What is at an address: a page or a file, with GET and nobody's key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import httpx2

from handlers import network
from handlers.errors import InputError
from handlers.web.answers import failed, subject_of
from handlers.web.fields import web_url

# Servers that would answer in several ways are asked for what can be read.
_ACCEPT: Final = "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    response: httpx2.Response  # its url is where the redirects led
    content: bytes
    at: datetime

    @property
    def content_type(self) -> str:
        return network.content_type(self.response)

    def marked(self) -> bytes:
        """The content with its encoding at its head, where the server has told it: a page's own word counts less."""
        charset = self.response.charset_encoding
        try:
            return b"\xef\xbb\xbf" + self.content.decode(charset).encode() if charset else self.content
        except (LookupError, UnicodeError):
            return self.content


def fetch(
    url: str,
    *,
    max_bytes: int,
    redirects: int = network.MAX_REDIRECTS,
    headers: Mapping[str, str] | None = None,
    look: Callable[[httpx2.Response], None] | None = None,
) -> Fetched:
    """The content at *url*, within the current network call. *look* may raise before any of it is read.

    Raises InputError for what is no URL and for more than *max_bytes*, ProviderError for a status that is no success,
    and what a failed call means.
    """
    try:
        address = web_url(url.strip())
    except ValueError as error:
        raise InputError(f"{url!r}: {error}", code="invalid_url") from error
    request = network.client().build_request("GET", address, headers={"Accept": _ACCEPT, **(headers or {})})
    subject, call = subject_of(request), network.current_call()
    try:
        with closing(network.send(request, redirects=redirects)) as response:
            if not response.is_success:
                raise failed(response, subject=subject)
            if look is not None:
                look(response)
            return Fetched(response=response, content=network.read(response, max_bytes=max_bytes), at=datetime.now(UTC))
    except httpx2.RequestError as error:
        raise network.failure_of(error, call=call, subject=subject) from error
