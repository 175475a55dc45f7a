"""A provider of OAuth2 tokens on this machine, and credentials of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

from django.utils import timezone

from tests.factories import CredentialFactory
from tests.handlers.servers import Received, Reply, http_server
from workflows.models import Credential

CLIENT = {"client_id": "shop", "client_secret": "client/secret+1", "refresh_token": "refresh-0"}


@dataclass
class Provider:
    """Replaces its refresh token each time, and knows the last one only."""

    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)  # forms
    headers: list[dict[str, str]] = field(default_factory=list)
    before: Callable[[], None] = lambda: None  # what happens before an answer
    answers: list[tuple[int, Any]] = field(default_factory=list)  # instead of tokens, in turn
    _lock: Lock = field(default_factory=Lock)

    def reply(self, received: Received) -> Reply:
        form = dict(parse_qsl(received.body.decode()))
        with self._lock:
            self.asked.append(form)
            self.headers.append(received.headers)
            number = len(self.asked)
            expected = f"refresh-{number - 1}"
        self.before()
        if self.answers:
            status, answer = self.answers.pop(0)
        elif form["grant_type"] == "refresh_token" and form["refresh_token"] != expected:
            status, answer = 400, {"error": "invalid_grant", "error_description": f"Unknown {form['refresh_token']}"}
        else:
            tokens = {"access_token": f"access-{number}", "refresh_token": f"refresh-{number}"}
            status, answer = 200, {**tokens, "token_type": "Bearer", "expires_in": 3600}
        return Reply(status=status, body=json.dumps(answer).encode(), headers={"Content-Type": "application/json"})


@contextmanager
def token_provider() -> Iterator[Provider]:
    provider = Provider()
    with http_server(answer=provider.reply) as server:
        provider.url = f"{server.url}/token"
        yield provider


def connected(provider: Provider, *, lasts: timedelta | None = timedelta(), **more: Any) -> Credential:
    """A credential whose access token has run out, unless it *lasts*."""
    filled = {**CLIENT, "access_token": "access-0", "token_url": provider.url, **more.pop("filled", {})}
    filled = {name: value for name, value in filled.items() if value is not None}
    expires_at = None if lasts is None else timezone.now() + lasts
    return CredentialFactory(kind="oauth2", filled=filled, expires_at=expires_at, **more)
