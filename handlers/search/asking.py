"""A question to a search engine, and its answer in our words."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from typing import Any, Final

import httpx2

from handlers import network, web
from handlers.base import JSONObject, JSONValue
from handlers.errors import ConfigError, ProviderError
from handlers.search.engines import Ask, Engine, SearchKind
from handlers.values import read_json

MAX_ANSWER_BYTES: Final = 5 * 1024 * 1024
_REFUSALS: Final = frozenset({401, 403})


def ask(
    engine: Engine, kind: SearchKind, query: str, *, most: int, key: str, url: str | None = None
) -> list[JSONObject]:
    """Up to *most* results, within the current network call; *url* is another address than the engine's own.

    Raises ConfigError for a key that is refused, ProviderError, and what a failed call means.
    """
    asked = engine.asks[kind]
    answer = _answer(_request(engine, asked, query, most, key, url), engine)
    found = _dig(answer, asked.results)
    rows = found if isinstance(found, list) else []
    return [_row(row, asked) for row in rows[:most]]


def _request(engine: Engine, asked: Ask, query: str, most: int, key: str, url: str | None) -> httpx2.Request:
    fields = asked.fields(query, most)
    return network.client().build_request(
        engine.method,
        f"{(url or engine.url).rstrip('/')}{asked.path}",
        headers={"Accept": "application/json", engine.key_header: f"{engine.key_prefix}{key}"},
        params={name: str(value) for name, value in fields.items()} if engine.method == "GET" else None,
        json=fields if engine.method == "POST" else None,
    )


def _answer(request: httpx2.Request, engine: Engine) -> JSONValue:
    subject, call = web.subject_of(request), network.current_call()
    try:
        with closing(network.client().send(request, stream=True)) as response:
            content = network.read(response, max_bytes=MAX_ANSWER_BYTES)
    except httpx2.RequestError as error:
        raise network.failure_of(error, call=call, subject=subject) from error
    if response.status_code in _REFUSALS:
        raise ConfigError(f"{engine.title} refused the key ({response.status_code}).", code="credentials_refused")
    if not response.is_success:
        raise web.failed(response, subject=subject, said=network.as_text(response, content))
    try:
        return read_json(content)
    except ValueError as error:
        raise ProviderError(f"{subject}: the answer is not JSON.", code="invalid_response") from error


def _row(row: Any, asked: Ask) -> JSONObject:
    # Images of Tavily are addresses, unless their descriptions were asked for and are there.
    values = {"url": row} if isinstance(row, str) else row
    told = {name: _dig(values, keys) for name, keys in asked.names.items()}
    return {name: value for name, value in told.items() if value is not None}


def _dig(value: Any, keys: Iterable[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
