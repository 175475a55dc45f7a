"""Connections whose every wait belongs to a `Call`, to addresses that `egress` lets through.

They are made for httpcore, whose own timeouts are not used, and for clients that are handed a socket.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeAlias

import httpcore2

from handlers.errors import NodeTimeout, Unreachable
from handlers.network import egress
from handlers.network.calls import Overdue, current_call, left_behind

Address: TypeAlias = tuple[Any, ...]  # family, kind, protocol, canonical name, socket address: a row of getaddrinfo


class Backend(httpcore2.NetworkBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> Stream:
        del timeout, local_address, socket_options
        return Stream(_open(host, port))

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> Stream:
        del timeout, socket_options
        raise httpcore2.ConnectError(f"nodes reach no socket in the file system, such as {path}")


class Stream(httpcore2.NetworkStream):
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._wake = partial(_shut_down, sock)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        with current_call().blocking(self._wake, failing=httpcore2.ReadError) as seconds:
            self._sock.settimeout(seconds)
            return self._sock.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        del timeout
        waiting = memoryview(buffer)
        while waiting:
            with current_call().blocking(self._wake, failing=httpcore2.WriteError) as seconds:
                self._sock.settimeout(seconds)
                waiting = waiting[self._sock.send(waiting) :]

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Stream:
        del timeout
        try:
            # The handshake comes second: wrapping moves the descriptor to another socket, the one to shut down.
            secured = ssl_context.wrap_socket(
                self._sock, server_hostname=server_hostname, do_handshake_on_connect=False
            )
        except BaseException:
            self.close()
            raise
        try:
            with current_call().blocking(partial(_shut_down, secured), failing=httpcore2.ConnectError) as seconds:
                secured.settimeout(seconds)
                secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return Stream(secured)

    def get_extra_info(self, info: str) -> Any:
        match info:
            case "ssl_object":
                return self._sock if isinstance(self._sock, ssl.SSLSocket) else None
            case "socket":
                return self._sock
            case "client_addr":
                return self._sock.getsockname()
            case "server_addr":
                return self._sock.getpeername()
            case "is_readable":
                return _is_readable(self._sock)
        return None


def addresses(host: str, port: int) -> list[str]:
    """The addresses of *host* as text, for a client that connects by itself and has to be given one of them.

    Within the current call. Raises EgressRefused unless nodes may connect to all of them, Unreachable when there are
    none, NodeTimeout.
    """
    with _told(host, port):
        return [place[0] for *_, place in _checked(host, port)]


def connect(host: str, port: int) -> socket.socket:
    """A socket that is connected to *host*, for a client that speaks something other than HTTP; the caller closes it.

    It is shut down when the current call is stopped or overdue, so that a client that reads it fails. Raises as
    `addresses` does.
    """
    with _told(host, port):
        sock = _open(host, port)
    sock.settimeout(None)  # it was that of connecting
    current_call().hold(sock)
    return sock


@contextmanager
def _told(host: str, port: int) -> Iterator[None]:
    """Raise httpcore's errors as those of nodes."""
    try:
        yield
    except Overdue as error:
        raise NodeTimeout(f"{host}:{port} did not answer within {current_call().seconds:g} s.") from error
    except httpcore2.ConnectError as error:
        raise Unreachable(f"{host}:{port} cannot be reached: {error}") from error


def _open(host: str, port: int) -> socket.socket:
    found = _checked(host, port)
    for turn, address in enumerate(found, start=1):
        try:
            # An address that swallows everything must leave time for the next one.
            return _connect(address, share=1 / (len(found) - turn + 1))
        except (httpcore2.ConnectError, Overdue):
            if turn == len(found):
                raise
    raise httpcore2.ConnectError(f"{host} has no address")


def _checked(host: str, port: int) -> list[Address]:
    """Where *host* is: resolved once, and every one of the addresses judged. What is connected to is one of these."""
    found = _find_addresses(host, port)
    egress.check(host, port, [place[0] for *_, place in found])
    return found


def _find_addresses(host: str, port: int) -> list[Address]:
    with suppress(socket.gaierror, UnicodeError):  # not an address but a name
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    return left_behind(partial(_resolve, host, port), name=f"resolve {host}")


def _resolve(host: str, port: int) -> list[Address]:
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except UnicodeError as error:  # a label that is empty or longer than 63 characters
        raise OSError(f"{host} is no host name: {error}") from error


def _connect(address: Address, *, share: float) -> socket.socket:
    """A connection to *address*, made within that *share* of the time left."""
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        with current_call().blocking(partial(_shut_down, sock), failing=httpcore2.ConnectError) as seconds:
            sock.settimeout(seconds * share)
            sock.connect(place)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            # Routers forget a connection on which a language model thinks for minutes.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _shut_down(sock: socket.socket) -> None:
    # Unlike close, this wakes a thread that is blocked on the socket. SSLSocket.shutdown would pull the TLS state from
    # under that thread, so the plain socket's is called.
    with suppress(OSError):  # not connected any more
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _is_readable(sock: socket.socket) -> bool:
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
