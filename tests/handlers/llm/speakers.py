"""A server that speaks as model services do, OpenAI's, Anthropic's and Google's, and may break off at any piece."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest

from handlers.llm import provider_named
from tests.handlers.servers import read_request_and_body, socket_server


class Trouble(Enum):
    """What may happen instead of the next piece."""

    SILENCE = "silence"  # until the caller leaves
    CUT = "cut"  # the connection is closed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: a stream of pieces, or a body with a status."""

    pieces: Sequence[bytes | Trouble] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None  # JSON; None: the pieces are streamed
    raw: bytes | None = None  # instead of JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    path: str  # with the query
    headers: dict[str, str]  # names in small letters
    body: Any  # JSON, or bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    url: str
    asked: list[Asked]


@contextmanager
def service(*answers: Answer) -> Iterator[Service]:
    """Gives the *answers* one after the other, the last of them again and again."""
    asked: list[Asked] = []

    def talk(connection: socket.socket) -> None:
        while True:
            asked.append(_read(connection))
            _send(connection, answers[min(len(asked), len(answers)) - 1])
            if answers[min(len(asked), len(answers)) - 1].body is None:
                return

    with socket_server(talk) as (host, port):
        yield Service(url=f"http://{host}:{port}", asked=asked)


@contextmanager
def standing_in(monkeypatch: pytest.MonkeyPatch, provider: str, *answers: Answer, path: str = "") -> Iterator[Service]:
    """A service in place of *provider*, for whom the worker has a key."""
    row = provider_named(provider)
    with service(*answers) as server:
        monkeypatch.setenv(row.key_variables[0], "key-of-the-worker")
        monkeypatch.setenv(row.url_variables[0], server.url + path)
        yield server


def _read(connection: socket.socket) -> Asked:
    head, content = read_request_and_body(connection)
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    is_json = headers.get("content-type", "").startswith("application/json")
    return Asked(path=first.split()[1], headers=headers, body=json.loads(content) if is_json else content)


def _send(connection: socket.socket, answer: Answer) -> None:
    headers = dict(answer.headers)
    content = b""
    if answer.raw is not None:
        content = answer.raw
    elif answer.body is not None:
        content = json.dumps(answer.body).encode()
        headers.setdefault("Content-Type", "application/json")
    if answer.body is not None or answer.raw is not None:
        headers["Content-Length"] = str(len(content))
    else:
        headers |= {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
    lines = [f"HTTP/1.1 {answer.status} Told", *(f"{name}: {value}" for name, value in headers.items())]
    connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + content)
    if "Transfer-Encoding" not in headers:
        return
    for piece in answer.pieces:
        if piece is Trouble.CUT:
            return
        if piece is Trouble.SILENCE:
            while connection.recv(65536):
                pass
            return
        assert isinstance(piece, bytes)
        connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
    connection.sendall(b"0\r\n\r\n")


def sse(data: Any, event: str | None = None) -> bytes:
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


class OpenAI:
    """How each service says the same things. All count 7 tokens of prompt, 2 of them cached, and 5 of an answer."""

    provider = "openai"
    key_variable, url_variable = "OPENAI_API_KEY", "OPENAI_BASE_URL"
    path = "/v1"

    def say(self, text: str) -> bytes:
        return sse(self._chunk({"content": text}))

    def think(self, text: str) -> bytes:
        return sse(self._chunk({"reasoning_content": text}))

    def begin(self) -> list[bytes]:
        return [sse(self._chunk({"role": "assistant", "content": ""}))]

    def end(self, *, cut: bool = False) -> list[bytes]:
        usage = {
            "prompt_tokens": 7,
            "completion_tokens": 5,
            "total_tokens": 12,
            "prompt_tokens_details": {"cached_tokens": 2},
        }
        return [
            sse(self._chunk({}, "length" if cut else "stop")),
            sse({**self._chunk({}), "choices": [], "usage": usage}),
            sse(b"[DONE]"),
        ]

    def error(self, said: str, kind: str) -> dict[str, Any]:
        return {"error": {"message": said, "type": kind, "code": kind, "param": None}}

    def whole(self, *texts: str, cut: bool = False) -> Answer:
        return Answer(pieces=[*self.begin(), *map(self.say, texts), *self.end(cut=cut)])

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m-2", "choices": [choice]}


class Anthropic(OpenAI):
    provider = "anthropic"
    key_variable, url_variable = "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"
    path = ""

    def say(self, text: str) -> bytes:
        return self._delta({"type": "text_delta", "text": text})

    def think(self, text: str) -> bytes:
        return self._delta({"type": "thinking_delta", "thinking": text})

    def begin(self) -> list[bytes]:
        usage = {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 1}
        start = {"type": "message_start", "message": {"id": "1", "model": "m-2", "usage": usage}}
        return [sse(start, "message_start"), sse({"type": "ping"}, "ping")]

    def end(self, *, cut: bool = False) -> list[bytes]:
        delta = {"stop_reason": "max_tokens" if cut else "end_turn"}
        told = {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5}}
        return [sse(told, "message_delta"), sse({"type": "message_stop"}, "message_stop")]

    def error(self, said: str, kind: str) -> dict[str, Any]:
        return {"type": "error", "error": {"type": kind, "message": said}}

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return sse({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")


class Google(OpenAI):
    provider = "google"
    key_variable, url_variable = "GEMINI_API_KEY", "GEMINI_BASE_URL"
    path = "/v1beta"

    def say(self, text: str) -> bytes:
        return self._event([{"text": text}])

    def think(self, text: str) -> bytes:
        return self._event([{"text": text, "thought": True}])

    def begin(self) -> list[bytes]:
        return []

    def end(self, *, cut: bool = False) -> list[bytes]:
        usage = {"promptTokenCount": 7, "candidatesTokenCount": 5, "cachedContentTokenCount": 2}
        return [self._event([], "MAX_TOKENS" if cut else "STOP", usage)]

    def error(self, said: str, kind: str) -> dict[str, Any]:
        return {"error": {"code": 1, "message": said, "status": kind}}

    def _event(
        self, parts: list[dict[str, Any]], reason: str | None = None, usage: dict[str, Any] | None = None
    ) -> bytes:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        if reason:
            candidate["finishReason"] = reason
        return sse({"candidates": [candidate], "modelVersion": "m-2", **({"usageMetadata": usage} if usage else {})})


SPEAKERS = (OpenAI(), Anthropic(), Google())
