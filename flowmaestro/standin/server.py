"""The server: who asks what, and what may go wrong."""

from __future__ import annotations

import json
import re
import socket
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from flowmaestro.standin import shop
from flowmaestro.standin.completions import Completion

TOKEN_SECONDS = 0.025  # between two tokens: 40 a second, as fast models do
TOKENS_BEFORE_TROUBLE = 3
MAX_BODY_BYTES = 1024 * 1024
SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PAGE_NUMBER = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    url: str
    received: deque[dict[str, Any]]  # the last bodies that asked for a completion, oldest first


@contextmanager
def serve(port: int = 0, *, token_seconds: float = TOKEN_SECONDS) -> Iterator[StandIn]:
    """A stand-in that runs beside the caller, on this machine only; port 0 is any that is free."""
    server = _Server(port, token_seconds=token_seconds)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="stand-in", daemon=True)
    thread.start()
    try:
        yield StandIn(url=f"http://127.0.0.1:{server.server_port}", received=server.received)
    finally:
        server.stop()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, *, token_seconds: float) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.token_seconds = token_seconds
        self.received: deque[dict[str, Any]] = deque(maxlen=100)
        self.stopping = Event()
        self._open: set[socket.socket] = set()
        self._pages: Counter[int] = Counter()  # how often each was asked for
        self._counting = Lock()

    def is_busy(self, page: int) -> bool:
        """One request more for this page: whether it is to come again."""
        with self._counting:
            self._pages[page] += 1
            return self._pages[page] % 2 == 1

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        for connection in list(self._open):
            with suppress(OSError):  # the caller left in this moment
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Refused(Exception):
    """A request that is answered with an error, in OpenAI's shape."""

    def __init__(self, status: HTTPStatus, message: str, *, kind: str, code: str | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a token waits for no other
    server: _Server

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._complete)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
        """Silent: the caller tells what it asks."""

    def _answer(self, method: Callable[[], None]) -> None:
        # The caller may be gone, which is its right.
        with suppress(BrokenPipeError, ConnectionResetError):
            try:
                method()
            except _Refused as refused:
                self._send_json(refused.body, refused.status, refused.headers)

    def _get(self) -> None:
        path = unquote(urlsplit(self.path).path)
        answer = self._found(path.split("/")[1:])
        if answer is None:
            raise _Refused(HTTPStatus.NOT_FOUND, f"There is no {path}.", kind="invalid_request_error")
        self._send_json(answer)

    def _found(self, path: list[str]) -> Mapping[str, Any] | None:
        match path:
            case ["health"]:
                return {"status": "ok", "service": "stand-in"}
            case ["stock"]:
                return self._stock_page()
            case ["stock", sku] if SKU.fullmatch(sku):
                return shop.stock(sku)
            case ["offers", supplier, sku] if SKU.fullmatch(sku):
                return shop.offer(supplier, sku)
        return None

    def _stock_page(self) -> Mapping[str, Any] | None:
        """The page that is asked for; even ones are busy at every other request."""
        asked = parse_qs(urlsplit(self.path).query).get("page", ["1"])[0]
        page = int(asked) if PAGE_NUMBER.fullmatch(asked) else 0
        found = shop.stock_page(page)
        if found is not None and page % 2 == 0 and self.server.is_busy(page):
            message = "The stock is being counted."
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, message, kind="busy", Retry_After="1")
        return found

    def _complete(self) -> None:
        body = self._read_json()
        if urlsplit(self.path).path != "/v1/chat/completions":
            raise _Refused(HTTPStatus.NOT_FOUND, f"There is no {self.path}.", kind="invalid_request_error")
        if not self.headers.get("Authorization", "").removeprefix("Bearer").strip():
            message = "You didn't provide an API key."
            raise _Refused(HTTPStatus.UNAUTHORIZED, message, kind="invalid_request_error", code="invalid_api_key")
        model, prompt = _read_request(body)
        self.server.received.append(body)
        _refuse_as(model)
        if model == "hang":
            self.close_connection = True
            self.server.stopping.wait()
            return
        completion = Completion.of(prompt, model=model, limit=body.get("max_completion_tokens", body.get("max_tokens")))
        if body.get("stream"):
            options = body.get("stream_options") or {}
            self._stream(completion, with_usage=bool(options.get("include_usage")))
        else:
            self._send_json(completion.whole())

    def _stream(self, completion: Completion, *, with_usage: bool) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, chunk in enumerate(completion.chunks(with_usage=with_usage)):
            if number > TOKENS_BEFORE_TROUBLE and completion.model == "cut":
                self.close_connection = True
                return
            if number > TOKENS_BEFORE_TROUBLE and completion.model == "stall":
                self.server.stopping.wait()
            if self.server.stopping.wait(self.server.token_seconds):
                self.close_connection = True
                return
            self._send_event(json.dumps(chunk))
        self._send_event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def _send_event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))

    def _read_json(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.close_connection = True  # the body stays unread
            message = f"The body needs a length, of at most {MAX_BODY_BYTES} bytes."
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message, kind="invalid_request_error")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError:
            body = None
        if not isinstance(body, dict):
            message = "We could not parse the JSON body of your request."
            raise _Refused(HTTPStatus.BAD_REQUEST, message, kind="invalid_request_error")
        return body

    def _send_json(
        self, body: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
    ) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            **(headers or {}),
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _read_request(body: Mapping[str, Any]) -> tuple[str, str]:
    """The model, and all that the messages say."""
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str) or not model:
        raise _Refused(HTTPStatus.BAD_REQUEST, "you must provide a model parameter", kind="invalid_request_error")
    if not isinstance(messages, list) or not messages or not all(isinstance(said, dict) for said in messages):
        message = "Invalid type for 'messages': expected an array of objects."
        raise _Refused(HTTPStatus.BAD_REQUEST, message, kind="invalid_request_error")
    return model, "\n".join(str(said.get("content") or "") for said in messages)


def _refuse_as(model: str) -> None:
    match model:
        case "fail-429":
            message, kind = "Rate limit reached.", "requests"
            raise _Refused(
                HTTPStatus.TOO_MANY_REQUESTS, message, kind=kind, code="rate_limit_exceeded", Retry_After="1"
            )
        case "fail-quota":
            message, kind = "You exceeded your current quota.", "insufficient_quota"
            raise _Refused(HTTPStatus.TOO_MANY_REQUESTS, message, kind=kind, code="insufficient_quota")
        case "fail-500":
            message = "The server had an error while processing your request."
            raise _Refused(HTTPStatus.INTERNAL_SERVER_ERROR, message, kind="server_error")
