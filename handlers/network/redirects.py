"""Requests that are sent on to where an answer says."""

from __future__ import annotations

from typing import Final

import httpx2

from handlers.errors import ProviderError
from handlers.network.client import client

MAX_REDIRECTS: Final = 10
# What a request to another host than the first may carry on: nothing that could be a key.
_INNOCENT_HEADERS: Final = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "user-agent"}
)


def send(request: httpx2.Request, *, redirects: int = MAX_REDIRECTS) -> httpx2.Response:
    """The answer to *request* or to where it leads, its content still to be read; close it.

    At most that many *redirects* are followed; of none, an answer that redirects is an answer like any other.
    To another origin goes neither a header of the author's nor a credential. Raises ProviderError with code
    `too_many_redirects`.
    """
    response = client().send(request, stream=True)
    if redirects == 0:
        return response
    for _ in range(redirects):
        if response.next_request is None:
            return response
        response.close()
        response = client().send(_stripped(request, response.next_request), stream=True)
    if response.next_request is None:
        return response
    response.close()
    raise ProviderError(f"More than {redirects} redirects.", code="too_many_redirects")


def _stripped(first: httpx2.Request, following: httpx2.Request) -> httpx2.Request:
    if following.url.origin != first.url.origin:
        for name in set(following.headers) - _INNOCENT_HEADERS:
            del following.headers[name]
    return following
