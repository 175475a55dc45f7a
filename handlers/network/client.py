"""The HTTP client that all nodes of a process share, for the sake of its open connections. It is safe to use from many
threads and remembers nothing else: no cookies, no proxies or passwords from the environment.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from threading import Lock

import httpcore2
import httpx2

from handlers.network.egress import current_policy
from handlers.network.sockets import Backend

MAX_IDLE_CONNECTIONS = 50
# Shorter than the idle timeouts of common servers (nginx 75 s, Node.js 5 s, AWS load balancers 60 s), so that it is
# seldom the server that closes first, which a request under way would notice.
IDLE_SECONDS = 4.0
PACKINGS = ("gzip", "deflate")
# Deflate packs up to a thousand times. Source: zlib, Technical Details, "Maximum Compression Factor".
MAX_PIECE_BYTES = 4096


def client() -> httpx2.Client:
    return _shared.client()


class _Shared:
    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._client: httpx2.Client | None = None
        self._lock = Lock()  # two threads would make two, and the second would close the first one's connections

    def client(self) -> httpx2.Client:
        with self._lock:
            self._client = self._client or _make_client()
            return self._client


_shared = _Shared()
# A forked worker that used its parent's connections would read its siblings' answers.
os.register_at_fork(after_in_child=_shared.forget)


def _make_client() -> httpx2.Client:
    # httpx tells every request with its whole URL, and keys stand in some.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    # What else could be unpacked depends on what is installed; the bounds of `_Body` are made for these.
    headers = {"User-Agent": "FlowMaestro", "Accept-Encoding": ", ".join(PACKINGS)}
    return httpx2.Client(transport=Transport(), cookies=no_cookies, timeout=None, headers=headers)


class Transport(httpx2.BaseTransport):
    """Between httpx and httpcore, as httpx's own HTTPTransport, which takes no network backend."""

    def __init__(self, backend: httpcore2.NetworkBackend | None = None) -> None:
        self._backend = backend or Backend()
        self._lock = Lock()
        self._policy = current_policy()
        self._pool = self._make_pool()

    def _make_pool(self) -> httpcore2.ConnectionPool:
        return httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(),
            # The number of worker threads is the bound; a wait for the pool could not be interrupted.
            max_connections=None,
            max_keepalive_connections=MAX_IDLE_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=self._backend,
        )

    def _current_pool(self) -> httpcore2.ConnectionPool:
        """One whose connections were all opened under the policy that holds now."""
        with self._lock:
            if self._policy != current_policy():
                for connection in self._pool.connections:
                    if connection.is_idle():  # others end with the answers that are being read from them
                        connection.close()
                self._policy, self._pool = current_policy(), self._make_pool()
            return self._pool

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert isinstance(request.stream, httpx2.SyncByteStream)  # noqa: S101 -- for the type checker: the client is not async
        url = request.url
        with _translated():
            response = self._current_pool().handle_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        answer = httpx2.Response(
            response.status, headers=response.headers, stream=_Body(response), extensions=response.extensions
        )
        _check_packing(request, answer)
        return answer

    def close(self) -> None:
        self._pool.close()


def _check_packing(request: httpx2.Request, answer: httpx2.Response) -> None:
    """Raise DecodingError for an answer that is packed in another way than was asked for, or more than once.

    Each layer may unpack to a thousand times its size: of three, a kilobyte is a terabyte.
    """
    told = answer.headers.get("content-encoding", "")
    layers = [layer for part in told.split(",") if (layer := part.strip().lower()) not in ("", "identity")]
    if layers and request.method != "HEAD" and (len(layers) > 1 or layers[0] not in PACKINGS):
        answer.close()
        raise httpx2.DecodingError(f"it is packed as {told[:50]!r}, which was not asked for", request=request)


class _Body(httpx2.SyncByteStream):
    """The content as it comes, in pieces that none unpacks to more than some megabytes."""

    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._response.stream, Iterable)  # noqa: S101 -- for the type checker: the pool is not async
        with _translated():
            for piece in self._response.stream:
                for start in range(0, len(piece), MAX_PIECE_BYTES):
                    yield piece[start : start + MAX_PIECE_BYTES]

    def close(self) -> None:
        self._response.close()


@contextmanager
def _translated() -> Iterator[None]:
    """Raise httpcore's errors as httpx's of the same name; our own are subclasses of httpcore's."""
    try:
        yield
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
        names = (kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("httpcore2"))
        raise getattr(httpx2, next(names))(str(error)) from error
    except httpcore2.UnsupportedProtocol as error:
        raise httpx2.UnsupportedProtocol(str(error)) from error
