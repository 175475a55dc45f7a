"""A service played on this machine: what it answers, and what it has been asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from handlers.ports import Credential
from tests.handlers.fakes import RecordingLent, run
from tests.handlers.servers import Received, Reply, http_server

TOKEN = "a-token-of-somebody"


def reply(data: Any = None, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer of a service: JSON, or bytes as they are."""
    kind = {} if isinstance(data, bytes) else {"Content-Type": "application/json; charset=utf-8"}
    body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
    return Reply(status=status, headers={**kind, **(headers or {})}, body=body)


def ask(
    provider: str,
    operation: str,
    parameters: Mapping[str, Any],
    *replies: Reply,
    lent: RecordingLent | None = None,
    credential: Mapping[str, str] | None = None,
    kind: str = "oauth2",
    prefix: str = "",
) -> tuple[Any, list[Received]]:
    """What a node hands on of a service that gives the *replies* below *prefix*, and what that was asked.

    A failure has what was asked as its `received`.
    """
    lent = lent or RecordingLent()
    with http_server(*replies) as server:
        values = {"base_url": f"{server.url}{prefix}", **(credential or {"access_token": TOKEN})}
        lent.credentials["c"] = Credential(id="c", kind=kind, name="Ours", values=values)
        config = {"provider": provider, "operation": operation, "connectionId": "c", "parameters": dict(parameters)}
        output = run("integration", config, lent=lent)
    return output.data, server.received


def asked(received: Received) -> tuple[str, dict[str, Any], Any]:
    """Method and path, query and body of a request; the body read if it is JSON or a form."""
    parts = urlsplit(received.path)
    query: dict[str, Any] = dict(parse_qsl(parts.query, keep_blank_values=True))
    kind = received.headers.get("content-type", "")
    body: Any = received.body
    if "json" in kind:
        body = json.loads(body)
    elif "form" in kind:
        body = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return f"{received.method} {parts.path}", query, body or None
