"""Servers for handlers to call, on this machine: one that answers as the test says, and one that misbehaves on a socket."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    method: str
    path: str  # with the query
    headers: dict[str, str]  # names in small letters
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    url: str
    received: list[Received]


@contextmanager
def http_server(*replies: Reply, answer: Callable[[Received], Reply] | None = None) -> Iterator[Server]:
    """Gives the *replies* one after the other, the last of them again and again; or what *answer* says."""
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            came = Received(method=self.command, path=self.path, headers=headers, body=body)
            received.append(came)
            reply = answer(came) if answer else replies[min(len(received), len(replies)) - 1]
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            with suppress(ConnectionError):  # a caller that had enough
                self.wfile.write(b"" if self.command == "HEAD" else reply.body)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):
                return self._reply
            raise AttributeError(name)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Server(url=f"http://127.0.0.1:{server.server_port}", received=received)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def socket_server(talk: Callable[[socket.socket], None]) -> Iterator[tuple[str, int]]:
    """Has *talk* speak on every connection; the connection is closed when it returns, or with the server."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []
    threads: list[Thread] = []

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            talk(connection)

    def accept() -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                connection, _ = listener.accept()
                connections.append(connection)
                threads.append(Thread(target=serve, args=(connection,), daemon=True))
                threads[-1].start()

    accepting = Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def read_request(connection: socket.socket) -> bytes:
    """The head of the request that comes on the connection. Its body is taken too: unread, it would reset the answer."""
    return read_request_and_body(connection)[0]


def read_request_and_body(connection: socket.socket) -> tuple[bytes, bytes]:
    head, body = _received(connection, b"", lambda got: b"\r\n\r\n" in got).split(b"\r\n\r\n", 1)
    length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
    return head, _received(connection, body, lambda got: len(got) >= int(length[1] if length else 0))


def _received(connection: socket.socket, got: bytes, is_enough: Callable[[bytes], bool]) -> bytes:
    while not is_enough(got):
        piece = connection.recv(65536)
        if not piece:
            raise ConnectionError("the caller left")
        got += piece
    return got


def stay_silent(connection: socket.socket) -> None:
    """Take what comes and answer nothing, until the caller leaves."""
    while connection.recv(65536):
        pass


@contextmanager
def late_server() -> Iterator[str]:
    """The address of a server that answers GET /SECONDS with "late" after so many seconds."""

    def answer(connection: socket.socket) -> None:
        _, path, _ = read_request(connection).split(maxsplit=2)
        connection.settimeout(float(path.removeprefix(b"/")))
        try:
            connection.recv(1)  # the caller left before its time
        except TimeoutError:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate")

    with socket_server(answer) as (host, port):
        yield f"http://{host}:{port}"
