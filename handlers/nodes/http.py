"""One HTTP request."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from time import monotonic
from typing import Any, Literal

import httpx2
from pydantic import Field, field_validator

from handlers import network, web
from handlers.base import Effect, JSONObject, Lane, NodeConfig, NodeData, NodeHandler, NodeInput, NodeOutput
from handlers.errors import InputError
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_HTTP
from handlers.values import Text

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_RETRY_COUNT = 10


class HttpConfig(NodeConfig):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] = "GET"
    url: web.WebUrl = Field(min_length=1, description="With http:// or https://.")
    headers: web.Headers = Field((), description='An object, or a list of {"key", "value"}.')
    query_params: web.Pairs = Field((), description="Added to the URL; written like the headers.")
    connection_id: str | None = Field(None, description="Id of a credential to send, instead of authType.")
    auth_type: web.AuthType = "none"
    auth_credentials: Text | None = Field(None, description="basic: user:password; bearer: the token; apiKey: the key.")
    api_key_name: web.HeaderName | None = Field(
        None, description="Name of the header or parameter a key is sent as; X-API-Key, or what its credential says."
    )
    api_key_in: web.Place = "header"
    body_type: web.BodyType = "json"
    body: Any = Field(
        None,
        description="json: any value, or text that is JSON; form, multipart: an object; raw: text; form also text.",
    )
    files: Any = Field(None, description="multipart: field → path of a file, a stored file, or a list of these.")
    response_type: web.ResponseType = Field("auto", description="auto: JSON or text, and a stored file for the rest.")
    follow_redirects: bool = True
    max_redirects: int = Field(network.MAX_REDIRECTS, ge=1, le=20)
    timeout: float = Field(30, gt=0, le=300, description="Seconds for the whole answer.")
    fail_on_status: bool = Field(False, description="An answer that is not 2xx fails the node instead of being data.")
    retry_count: int | None = Field(
        None, ge=0, le=MAX_RETRY_COUNT, description="Further attempts; the node's own retry.attempts goes before it."
    )

    @field_validator("method", mode="before")
    @classmethod
    def _in_capitals(cls, method: Any) -> Any:
        return method.upper() if isinstance(method, str) else method


class HttpData(NodeData):
    status: int
    status_text: str
    headers: dict[str, str] = Field(description="With names in small letters.")
    data: Any = Field(description="JSON as it is, other text as text, and of the rest the file it is stored as.")
    response_time: int = Field(description="Milliseconds.")


@node_type(
    "http",
    category="integrations",
    title="HTTP request",
    effect=Effect.EFFECT,
    lane=Lane.IO,
    retry=FOR_HTTP,
    aliases=("webhook",),
)
class Http(NodeHandler[HttpConfig]):
    """Send one HTTP request and hand on the answer.

    Output: `{"status", "statusText", "headers", "data", "responseTime"}`: the names of headers in small letters, JSON
    read, other text as text, the time in milliseconds. An answer that is neither is stored as a file of the run, and
    `data` is `{"path", "name", "size", "contentType"}`, which other nodes take for a file. `responseType` makes it
    `json` (anything else fails the node with `invalid_response`), `text`, or `binary`, a file in any case.

    Any status is an answer and not a failure, unless `failOnStatus` is set; statuses that may pass (408, 425, 429, 500,
    502, 503, 504, 529) are worth another attempt first, which waits as long as the answer's Retry-After says. How many
    attempts there are is the node's `retry`, or one more than `retryCount`.

    Who asks is told by a credential (`connectionId`, of kind api_key, bearer, basic, oauth2 or header) or by
    `authCredentials`; a key goes into the header or the query parameter `apiKeyName`. A `multipart` body has the
    fields of `body` and the files of `files`, up to 50 MB of them. Requests other than GET, HEAD and OPTIONS carry an
    `Idempotency-Key` that is the same in every attempt, unless one is set.

    Ten redirects are followed (`followRedirects`, `maxRedirects`); to another host without the node's headers and
    credentials. A longer answer than the site allows (10 MB, unless it says otherwise) fails the node with
    `response_too_large`. So does an address that is not on the public internet, also that of a redirect, with
    `egress_refused`, unless the site's operator allows it.

    As `webhook` the method is POST, if it is not said.
    """

    Config = HttpConfig
    Output = HttpData

    def run(self, node: NodeInput[HttpConfig], lent: Lent) -> NodeOutput:
        config = node.config
        request = _build(node, lent)
        subject = web.subject_of(request)
        started = monotonic()
        with network.call(lent, seconds=config.timeout) as call:
            try:
                redirects = config.max_redirects if config.follow_redirects else 0
                with closing(network.send(request, redirects=redirects)) as response:
                    content = network.read(response, max_bytes=network.max_answer_bytes())
            except httpx2.RequestError as error:
                raise network.failure_of(error, call=call, subject=subject) from error
        milliseconds = round((monotonic() - started) * 1000)
        data = web.read_as(config.response_type, response, content, node=node, lent=lent)
        answer = web.Answer(response=response, data=data, milliseconds=milliseconds)
        if response.is_success or not (config.fail_on_status or web.may_pass(response)):
            return NodeOutput(data=answer.to_json())
        raise web.refusal(answer, subject=subject, is_output=not config.fail_on_status)

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        auth_type, wrong = config.get("authType", "none"), []
        if auth_type in ("basic", "bearer", "apiKey"):
            if config.get("connectionId"):
                wrong.append(("authType", "Either authType or connectionId says who asks, not both."))
            elif not config.get("authCredentials"):
                wrong.append(("authCredentials", f"{auth_type} needs credentials."))
        if config.get("files") and config.get("bodyType") != "multipart":
            wrong.append(("files", "Files are sent in a body of type multipart."))
        if isinstance(config.get("retryCount"), str):
            wrong.append(("retryCount", "Write a number: how often a node is tried is settled before it runs."))
        return wrong

    @classmethod
    def implied(cls, drawn_as: str, config: Mapping[str, Any]) -> JSONObject:
        """A `webhook` calls one of somebody else's: with POST, unless it says otherwise."""
        return {"method": "POST"} if drawn_as == "webhook" and not config.get("method") else {}

    @classmethod
    def attempts(cls, config: Mapping[str, Any]) -> int | None:
        count = config.get("retryCount")
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MAX_RETRY_COUNT:
            return None
        return count + 1


def _build(node: NodeInput[HttpConfig], lent: Lent) -> httpx2.Request:
    config = node.config
    headers = httpx2.Headers(config.headers, encoding="utf-8")
    query = config.query_params
    body = _body(node, lent)
    if body is not None:
        headers.setdefault("Content-Type", body.content_type)
    authorization = _authorization(config, lent)
    if authorization is not None and authorization.place == "query":
        query = (*query, (authorization.name, authorization.value))
    elif authorization is not None:
        headers[authorization.name] = authorization.value
    if config.method not in SAFE_METHODS:
        headers.setdefault("Idempotency-Key", node.idempotency_key)
    url = httpx2.URL(config.url).copy_merge_params(query)
    content = None if body is None else body.content
    return network.client().build_request(config.method, url, headers=headers, content=content)


def _body(node: NodeInput[HttpConfig], lent: Lent) -> web.Body | None:
    config = node.config
    if config.body_type == "multipart":
        if "content-type" in httpx2.Headers(config.headers):
            raise InputError("headers: a multipart body names its own Content-Type, with the boundary of its parts.")
        return web.encode_parts(config.body, config.files, lent.files, key=node.idempotency_key)
    return web.encode(config.body_type, config.body)


def _authorization(config: HttpConfig, lent: Lent) -> web.Authorization | None:
    if config.connection_id:
        return web.lent_authorization(lent, config.connection_id, key_name=config.api_key_name, place=config.api_key_in)
    if config.auth_type == "none":
        return None
    found = web.written(
        config.auth_type, config.auth_credentials, key_name=config.api_key_name, place=config.api_key_in
    )
    if config.auth_type == "basic":
        lent.hide(found.secret)  # in Base64 the password is another text
    return found
