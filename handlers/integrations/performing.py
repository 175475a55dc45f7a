"""Carrying out one operation: its request, or as many as a list takes, and what is handed on."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from hashlib import sha256
from typing import Final

import httpx2

from handlers import network
from handlers.base import JSONObject, JSONValue
from handlers.errors import ConfigError, ProviderError
from handlers.integrations.answers import Answer
from handlers.integrations.operation import Operation, Spread
from handlers.integrations.paging import Paging
from handlers.integrations.parameters import Errand, Listing, Parameters
from handlers.integrations.refusals import error_of
from handlers.ports import Credential, Lent
from handlers.values import encodable, text_of

REQUEST_SECONDS: Final = 60.0  # for one request; the attempt's own limit is for all of them
MAX_RESPONSE_BYTES: Final = 10 * 1024 * 1024
MAX_FILE_BYTES: Final = 50 * 1024 * 1024
MAX_LIST_BYTES: Final = 32 * 1024 * 1024  # of all pages of a list
MAX_PAGES: Final = 50  # a service whose pages are nearly empty must not be asked for ever
MAX_KEY_LENGTH: Final = 255  # of an idempotency key. Source: Stripe API reference, Idempotent requests


def perform(
    operation: Operation, given: Parameters, *, credential: Credential, idempotency_key: str, lent: Lent
) -> JSONValue:
    """What the service answers to *operation*: the part of it that matters, or of a list
    `{"items", "count", "hasMore", "nextCursor"}`.

    Raises ConfigError, InputError, ProviderError and what the network does.
    """
    errand = Errand(lent=lent, idempotency_key=_short(idempotency_key), pick=operation.pick)
    spread = operation.spread(given)
    client = _Client(operation, credential, errand)
    if operation.paging is not None and isinstance(given, Listing):
        return _listed(client, given, spread, operation.paging)
    return given.make_result(client.send(spread, given), errand)


def _listed(client: _Client, given: Listing, spread: Spread, paging: Paging) -> JSONValue:
    items: list[JSONValue] = []
    cursor, size = given.cursor, min(paging.most, given.limit)
    for _ in range(MAX_PAGES):
        left = given.limit - len(items)
        size = size if paging.is_numbered else min(size, left)
        answer = client.send(_page(spread, paging, cursor, size), given)
        page = paging.found(answer)
        items += page[:left]
        client.errand.lent.progress(len(items) / given.limit, f"{len(items)} items")
        following = paging.following(answer, cursor=cursor, taken=len(page[:left]), size=size)
        is_done = following in (None, cursor) or len(items) >= given.limit
        cursor = following
        if is_done:
            break
    has_more = cursor is not None or len(page) > left
    return {"items": items, "count": len(items), "hasMore": has_more, "nextCursor": cursor}


def _page(spread: Spread, paging: Paging, cursor: str | None, size: int) -> Spread:
    asked = paging.ask(cursor, size)
    return Spread(
        path=spread.path,
        headers=spread.headers,
        query=spread.query if paging.in_body else spread.query | asked,
        body=spread.body | asked if paging.in_body else spread.body,
    )


class _Client:
    """Sends the requests of one operation with one credential."""

    def __init__(self, operation: Operation, credential: Credential, errand: Errand) -> None:
        self._operation, self._provider = operation, operation.provider
        self._credential, self.errand = credential, errand
        self._room = MAX_LIST_BYTES
        self._base = _base_url(credential) or self._provider.base_url

    def send(self, spread: Spread, given: Parameters) -> Answer:
        lent, provider = self.errand.lent, self._provider
        request = self._request(spread, given)
        subject = f"{provider.name}: {request.method} {request.url.copy_with(query=None, fragment=None, userinfo=b'')}"
        self._provider.auth.apply(request, self._credential, lent)
        slot = lent.limits.slot(
            f"{provider.name}:{self._credential.id}",
            at_once=provider.at_once,
            per_minute=provider.per_minute,
        )
        with slot, lent.limits.breaker(f"{provider.name}:{request.url.host}"):
            with network.call(lent, seconds=REQUEST_SECONDS) as call:
                try:
                    answer = self._exchange(request)
                except httpx2.RequestError as error:
                    raise network.failure_of(error, call=call, subject=subject) from error
            refusal = error_of(answer, provider, subject=subject)
            if refusal is not None:
                raise refusal
        return answer

    def _request(self, spread: Spread, given: Parameters) -> httpx2.Request:
        headers = httpx2.Headers({"Accept": "application/json", **self._provider.headers}, encoding="utf-8")
        if self._operation.accepts is not None or self._operation.takes_bytes:
            headers["Accept"] = self._operation.accepts or "*/*"
        headers.update(spread.headers)
        if self._provider.idempotency_header and not self._operation.is_repeatable:
            headers[self._provider.idempotency_header] = self.errand.idempotency_key
        content = self._operation.content(given, spread.body, self.errand)
        if content is not None:
            headers["Content-Type"] = content[1]
        url = httpx2.URL(f"{self._base.rstrip('/')}{spread.path}").copy_merge_params(tuple(_pairs(spread.query)))
        return network.client().build_request(
            self._operation.method, url, headers=headers, content=None if content is None else content[0]
        )

    def _exchange(self, request: httpx2.Request) -> Answer:
        takes_bytes = self._operation.takes_bytes
        # What changes something would go on as a GET, and change nothing.
        send = network.send if request.method == "GET" else partial(network.client().send, stream=True)
        with closing(send(request)) as response:
            most = MAX_FILE_BYTES if takes_bytes else min(MAX_RESPONSE_BYTES, self._room)
            content = network.read(response, max_bytes=most)
        self._room -= len(content)
        is_file = takes_bytes and response.is_success
        return Answer(
            status=response.status_code,
            headers=response.headers,
            data=None if is_file else self._decoded(response, content),
            content=content if is_file else b"",
        )

    def _decoded(self, response: httpx2.Response, content: bytes) -> JSONValue:
        if response.is_success and self._operation.accepts is None and content:
            kind = response.headers.get("content-type", "")
            if "json" not in kind:
                raise ProviderError(
                    f"{self._provider.name} answered {kind or 'something'} where JSON was expected."
                    " Is the base URL of the credential that of the API?",
                    code="invalid_response",
                    status=response.status_code,
                )
        return network.decode(response, content, self.errand.lent) if content else None


def _base_url(credential: Credential) -> str | None:
    """The API's address that a credential has of its own: of GitHub Enterprise, of a sandbox, of a test."""
    written = credential.values.get("base_url", "").strip()
    if not written:
        return None
    try:
        url = httpx2.URL(written)
    except httpx2.InvalidURL:
        url = httpx2.URL("")
    if url.scheme not in {"http", "https"} or not url.host or url.query:
        raise ConfigError(
            f"base_url of the credential {credential.name!r} is no address of an API, such as https://api.example.com/v1.",
            code="credential_unfit",
        )
    return written


def _pairs(query: JSONObject) -> list[tuple[str, str]]:
    return [
        (name, encodable(text_of(each)))
        for name, value in query.items()
        for each in (value if isinstance(value, list) else [value])
        if each is not None
    ]


def _short(key: str) -> str:
    return key if len(key) <= MAX_KEY_LENGTH else sha256(key.encode()).hexdigest()
