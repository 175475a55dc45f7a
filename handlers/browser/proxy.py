"""An HTTP proxy for one browser, on this machine, for as long as it takes a picture.

It connects to where nodes may connect, tunnels (`CONNECT`) or sends on one request a connection, and asks for a
password, so that nobody else on the machine uses it. Source: RFC 9110, 9.3.6; RFC 9112, 3.2.2 and 9.6.
"""

from __future__ import annotations

import base64
import secrets
import selectors
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hmac import compare_digest
from threading import Lock, Thread
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from handlers import network
from handlers.errors import EgressRefused, HandlerError
from handlers.network import Call

REFUSED_HEADER: Final = "X-Egress-Refused"
MOST_BYTES: Final = 200 * 1024 * 1024  # to the browser, all connections together
MOST_CONNECTIONS: Final = 64  # at a time
_MOST_HEAD: Final = 64 * 1024  # bytes of a request's head
_CHUNK: Final = 65_536
_LOOK_SECONDS: Final = 0.5
_USER: Final = "browser"
# Of a request these are between the browser and us.
_OURS: Final = (b"proxy-authorization", b"proxy-connection", b"connection", b"keep-alive")


@dataclass(slots=True)
class EgressProxy:
    """Where the browser is to connect to, and what became of it."""

    port: int
    password: str
    refused: list[EgressRefused] = field(default_factory=list)
    bytes_sent: int = 0  # to the browser

    @property
    def server(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def user(self) -> str:
        return _USER


@contextmanager
def egress_proxy(*, seconds: float) -> Iterator[EgressProxy]:
    """A proxy that is gone, with all its connections, when the block ends; none lasts longer than *seconds*."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(_LOOK_SECONDS)
        running = _Running(listening, seconds)
        thread = Thread(target=running.accept, name="egress-proxy", daemon=True)
        thread.start()
        try:
            yield running.proxy
        finally:
            running.stop()
            thread.join()


class _Running:
    def __init__(self, listening: socket.socket, seconds: float) -> None:
        self.proxy = EgressProxy(port=listening.getsockname()[1], password=secrets.token_urlsafe(24))
        self._listening = listening
        self._ends = monotonic() + seconds
        self._lock = Lock()
        self._calls: set[Call] = set()
        self._browsers: set[socket.socket] = set()
        self._threads: list[Thread] = []
        self._stopped = False

    def accept(self) -> None:
        while not self._stopped:
            try:
                browser, _ = self._listening.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            if self._stopped or len(self._threads) >= MOST_CONNECTIONS:
                browser.close()
                continue
            with self._lock:
                self._browsers.add(browser)
            thread = Thread(target=self._serve, args=[browser], name="egress-proxy", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End whatever is under way; returns when no thread is left."""
        self._stopped = True
        with self._lock:
            calls, browsers = list(self._calls), list(self._browsers)
        for call in calls:
            call.stop()
        for browser in browsers:
            with suppress(OSError):
                browser.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _serve(self, browser: socket.socket) -> None:
        try:
            with browser, suppress(OSError), network.deadline(seconds=self._ends - monotonic()) as call:
                with self._lock:
                    self._calls.add(call)
                if not self._stopped:
                    self._answer(browser, call)
                with self._lock:
                    self._calls.discard(call)
        except HandlerError:  # it has been told
            pass
        finally:
            with self._lock:
                self._browsers.discard(browser)

    def _answer(self, browser: socket.socket, call: Call) -> None:
        browser.settimeout(max(0.1, call.remaining()))
        head, rest = _read_head(browser)
        line, *lines = head.split(b"\r\n")
        if not self._is_ours(lines):
            _refuse(browser, 407, b'Proxy-Authenticate: Basic realm="browser"')
            return
        method, target = (*line.split(b" "), b"", b"")[:2]
        tunnel = method == b"CONNECT"
        host, port = _place(target.decode("latin-1"), tunnel=tunnel)
        if host is None:
            _refuse(browser, 400)
            return
        try:
            server = network.connect(host, port)
        except EgressRefused as refusal:
            self.proxy.refused.append(refusal)
            _refuse(browser, 403, f"{REFUSED_HEADER}: 1".encode())
            return
        except HandlerError:
            _refuse(browser, 502)
            return
        with server:
            if tunnel:
                browser.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                server.sendall(rest)
            else:
                server.sendall(_rewritten(line, lines, target) + rest)
            self._relay(browser, server, call)

    def _is_ours(self, lines: list[bytes]) -> bool:
        wanted = base64.b64encode(f"{_USER}:{self.proxy.password}".encode())
        given = (line.partition(b":")[2].strip() for line in lines if line.lower().startswith(b"proxy-authorization:"))
        return any(compare_digest(each.removeprefix(b"Basic "), wanted) for each in given)

    def _relay(self, browser: socket.socket, server: socket.socket, call: Call) -> None:
        """Carry bytes both ways until one side has ended, or there are too many."""
        with selectors.DefaultSelector() as selector:
            selector.register(browser, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, browser)
            while not self._stopped and not call.is_overdue:
                for key, _ in selector.select(_LOOK_SECONDS):
                    receiving: socket.socket = key.data
                    piece = key.fileobj.recv(_CHUNK)  # type: ignore[union-attr]  # a socket, as registered
                    if not piece:
                        return
                    receiving.settimeout(max(0.1, call.remaining()))
                    receiving.sendall(piece)
                    if receiving is browser:
                        self.proxy.bytes_sent += len(piece)
                        if self.proxy.bytes_sent > MOST_BYTES:
                            return


def _read_head(browser: socket.socket) -> tuple[bytes, bytes]:
    """The head of a request, and what came after it. Raises OSError for one without an end."""
    received = bytearray()
    while b"\r\n\r\n" not in received:
        piece = browser.recv(_CHUNK)
        received += piece
        if not piece or len(received) > _MOST_HEAD:
            raise OSError("no request")
    head, _, rest = bytes(received).partition(b"\r\n\r\n")
    return head, rest


def _place(target: str, *, tunnel: bool) -> tuple[str | None, int]:
    """Host and port that a request is for; None for one that is for nothing a browser may have."""
    try:
        parts = urlsplit(f"//{target}" if tunnel else target)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None, 0
    if tunnel:
        return (host, port) if host and port else (None, 0)
    return (host, port or 80) if host and parts.scheme == "http" else (None, 0)


def _rewritten(line: bytes, lines: list[bytes], target: bytes) -> bytes:
    """The head as a server takes it: a path instead of an address, and the connection closed behind the answer."""
    method, _, rest = line.partition(b" ")
    version = rest.rpartition(b" ")[2]
    path = b"/" + target.split(b"/", 3)[3] if target.count(b"/") > 2 else b"/"  # noqa: PLR2004 -- http://host/path
    kept = [each for each in lines if each.partition(b":")[0].strip().lower() not in _OURS]
    return b"\r\n".join([b" ".join((method, path, version)), *kept, b"Connection: close", b"", b""])


def _refuse(browser: socket.socket, status: int, *headers: bytes) -> None:
    lines = [b"HTTP/1.1 %d Refused" % status, *headers, b"Content-Length: 0", b"Connection: close", b"", b""]
    browser.sendall(b"\r\n".join(lines))
