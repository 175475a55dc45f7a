"""One HTTP request."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from time import monotonic
from typing import Annotated, Any, Literal, TypeAlias

import httpx2
from pydantic import BeforeValidator, Field, field_validator

from handlers import network
from handlers.base import Effect, JSONObject, JSONValue, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.errors import RETRYABLE_STATUSES, ConfigError, InputError, ProviderError, RateLimited
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_HTTP
from handlers.values import Text, encodable, read_json, text_of

MAX_RESPONSE_BYTES = 10 * 1024 * 1024
MAX_TOLD_CHARACTERS = 2_000  # of an answer that is told in an error
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # Source: RFC 9110, 5.6.2, token
CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "raw": "text/plain; charset=utf-8",
}


def _pairs(value: Any) -> Any:
    """Both ways to write headers and parameters, a list of `{key, value}` and an object, as pairs of text.

    Null is left out: a reference to a node that was skipped. A list in an object is the name several times.
    """
    if isinstance(value, Mapping):
        rows = [
            (name, item) for name, items in value.items() for item in (items if isinstance(items, list) else [items])
        ]
    elif isinstance(value, list) and all(isinstance(row, Mapping) and "key" in row for row in value):
        rows = [(row["key"], row.get("value")) for row in value]
    elif value is None:
        return ()
    else:
        raise ValueError('Write an object, or a list of {"key": …, "value": …}.')
    # A row without a name is the empty line at the end of an editor's table.
    return tuple(
        (encodable(text_of(name)), encodable(text_of(item)))
        for name, item in rows
        if name not in ("", None) and item is not None
    )


Pairs: TypeAlias = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs, json_schema_input_type=Any)]


class HttpConfig(NodeConfig):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "GET"
    url: str = Field(min_length=1, description="With http:// or https://.")
    headers: Pairs = Field((), description='An object, or a list of {"key", "value"}.')
    query_params: Pairs = Field((), description="Added to the URL; written like the headers.")
    auth_type: Literal["none", "basic", "bearer", "apiKey"] = "none"
    auth_credentials: Text | None = Field(None, description="basic: user:password; bearer: the token; apiKey: the key.")
    body_type: Literal["json", "form", "raw"] = "json"
    body: Any = Field(None, description="json: any value, or text that is JSON; form: an object or encoded text.")
    timeout: float = Field(30, gt=0, le=300, description="Seconds for the whole answer.")
    fail_on_status: bool = Field(False, description="An answer that is not 2xx fails the node instead of being data.")

    @field_validator("method", mode="before")
    @classmethod
    def _in_capitals(cls, method: Any) -> Any:
        return method.upper() if isinstance(method, str) else method

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        try:
            parsed = httpx2.URL(url)
        except httpx2.InvalidURL as error:
            raise ValueError(f"This is no URL: {error}") from error
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise ValueError("A URL begins with http:// or https:// and a host.")
        return url

    @field_validator("headers")
    @classmethod
    def _are_headers(cls, headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        for name, value in headers:
            if not HEADER_NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header.")
            if CONTROL_CHARACTER.search(value):
                raise ValueError(f"The header {name} has a line break or another control character in its value.")
        return tuple((name, value.strip()) for name, value in headers)


@node_type("http", category="integrations", title="HTTP request", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_HTTP)
class Http(NodeHandler[HttpConfig]):
    """Send one HTTP request and hand on the answer.

    Output: `{"status", "statusText", "headers", "data", "responseTime"}`: the names of headers in small letters, JSON
    read, other text as text, the time in milliseconds. Any status is an answer and not a failure, unless `failOnStatus`
    is set; statuses that may pass (408, 425, 429, 500, 502, 503, 504, 529) are worth another attempt first, which waits
    as long as the answer's Retry-After says. How many attempts there are is the node's `retry`.

    Requests other than GET, HEAD and OPTIONS carry an `Idempotency-Key` that is the same in every attempt, unless one
    is set. Ten redirects are followed; to another host without the node's headers and credentials. An answer of more
    than 10 MB or one that is not text fails the node. So does an address that is not on the public internet, also that
    of a redirect, with `egress_refused`, unless the site's operator allows it.
    """

    Config = HttpConfig

    def run(self, node: NodeInput[HttpConfig], lent: Lent) -> NodeOutput:
        config = node.config
        request = _build(node)
        subject = f"{request.method} {request.url.copy_with(query=None, fragment=None, userinfo=b'')}"
        with network.call(lent, seconds=config.timeout) as call:
            try:
                answer = _send(request, lent)
            except httpx2.RequestError as error:
                raise network.failure_of(error, call=call, subject=subject) from error
        status = answer.response.status_code
        if answer.response.is_success or not (config.fail_on_status or status in RETRYABLE_STATUSES):
            return NodeOutput(data=answer.to_json())
        raise _refusal(answer, subject=subject, config=config)

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        auth_type = config.get("authType", "none")
        if auth_type in ("basic", "bearer", "apiKey") and not config.get("authCredentials"):
            return [("authCredentials", f"{auth_type} needs credentials.")]
        return []


def _build(node: NodeInput[HttpConfig]) -> httpx2.Request:
    config = node.config
    headers = httpx2.Headers(config.headers, encoding="utf-8")
    content = _body(config)
    if content is not None:
        headers.setdefault("Content-Type", CONTENT_TYPES[config.body_type])
    if config.auth_type != "none":
        name, value = _credentials(config)
        headers[name] = value
    if config.method not in SAFE_METHODS:
        headers.setdefault("Idempotency-Key", node.idempotency_key)
    url = httpx2.URL(config.url)
    return network.client().build_request(
        config.method, url.copy_merge_params(config.query_params), headers=headers, content=content
    )


def _body(config: HttpConfig) -> bytes | None:
    body: JSONValue = config.body
    if body is None or body == "":
        return None
    if config.body_type == "json":
        if isinstance(body, str):
            try:
                read_json(body)
            except ValueError as error:
                raise InputError(
                    f"The body is not JSON: {error}. An object as body, with references as its values, always is."
                ) from error
            return encodable(body).encode()
        return json.dumps(body, separators=(",", ":")).encode()  # escaped: half a surrogate pair has no encoding
    if config.body_type == "form" and not isinstance(body, str):
        try:
            return str(httpx2.QueryParams(_pairs(body))).encode()
        except ValueError as error:
            raise InputError(f"The form cannot be read. {error}") from error
    return encodable(text_of(body)).encode()


def _credentials(config: HttpConfig) -> tuple[str, str]:
    written = (config.auth_credentials or "").strip()  # a key copied with its line end is a key
    if not written:
        raise ConfigError(f"authCredentials is empty; {config.auth_type} needs credentials.")
    if CONTROL_CHARACTER.search(written):
        raise ConfigError("authCredentials has a line break or another control character in it.")
    match config.auth_type:
        case "basic":
            return "Authorization", f"Basic {base64.b64encode(written.encode()).decode()}"
        case "bearer":
            return "Authorization", f"Bearer {written}"
        case _:
            return "X-API-Key", written


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    response: httpx2.Response
    data: JSONValue
    milliseconds: int

    def to_json(self) -> JSONObject:
        return {
            "status": self.response.status_code,
            "statusText": self.response.reason_phrase,
            "headers": dict(self.response.headers),
            "data": self.data,
            "responseTime": self.milliseconds,
        }


def _send(request: httpx2.Request, lent: Lent) -> Answer:
    started = monotonic()
    with closing(network.send(request)) as response:
        content = network.read(response, max_bytes=MAX_RESPONSE_BYTES)
    data = network.decode(response, content, lent)
    return Answer(response=response, data=data, milliseconds=round((monotonic() - started) * 1000))


def _refusal(answer: Answer, *, subject: str, config: HttpConfig) -> ProviderError:
    """The error that an answer is; it brings the answer along as output unless the author wants it to be a failure."""
    response = answer.response
    told = text_of(answer.data)
    kind = RateLimited if response.status_code == HTTPStatus.TOO_MANY_REQUESTS else ProviderError
    return kind(
        f"{subject} answered {response.status_code} {response.reason_phrase}".rstrip() + ".",
        status=response.status_code,
        retryable=response.status_code in RETRYABLE_STATUSES,
        retry_after=network.retry_after(response.headers, now=datetime.now(UTC)),
        details={
            "status": response.status_code,
            "body": told[:MAX_TOLD_CHARACTERS],
            "cut": len(told) > MAX_TOLD_CHARACTERS,
        },
        output=None if config.fail_on_status else NodeOutput(data=answer.to_json()),
    )
