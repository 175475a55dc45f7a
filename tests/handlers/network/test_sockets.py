from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer
from time import monotonic

import httpcore2
import pytest

from handlers import network
from handlers.errors import Cancelled
from handlers.network import sockets
from handlers.network.calls import Overdue
from handlers.network.sockets import Backend
from tests.handlers.fakes import RecordingLent
from tests.handlers.servers import read_request, socket_server, stay_silent

CANCEL_AFTER_SECONDS = 0.2
PATIENCE_SECONDS = 20


def speaking_tls(talk: Callable[[socket.socket], None], certificate: Path) -> Callable[[socket.socket], None]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def secured(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            talk(tls)

    return secured


@contextmanager
def pool(trusted: Path | None = None) -> Iterator[httpcore2.ConnectionPool]:
    context = ssl.create_default_context(cafile=trusted)
    with httpcore2.ConnectionPool(ssl_context=context, network_backend=Backend()) as connections:
        yield connections


def answer_twice(connection: socket.socket) -> None:
    for _ in range(2):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    stay_silent(connection)


def answer_half(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nhalf")  # without a length the end of the stream is the end of the body
    stay_silent(connection)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_backend_serves_requests_over_one_connection(scheme: str, certificate: Path) -> None:
    """An idle connection is used again, with TLS and without."""
    talk = answer_twice if scheme == "http" else speaking_tls(answer_twice, certificate)
    call = network.call(RecordingLent(), seconds=PATIENCE_SECONDS)
    with socket_server(talk) as (host, port), pool(certificate) as connections, call:
        answers = [connections.request("GET", f"{scheme}://{host}:{port}/").content for _ in range(2)]
        kept = len(connections.connections)

    assert (answers, kept) == ([b"ok", b"ok"], 1)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("talk", [stay_silent, answer_half], ids=["waiting for headers", "in the middle of the body"])
def test_backend_cancelled_from_another_thread_returns_at_once(
    talk: Callable[[socket.socket], None], scheme: str, certificate: Path
) -> None:
    """A run that is cancelled does not wait for a service, and half an answer is not taken for a whole one."""
    lent = RecordingLent()
    talk = talk if scheme == "http" else speaking_tls(talk, certificate)
    with socket_server(talk) as (host, port), pool(certificate) as connections:
        cancelling = Timer(CANCEL_AFTER_SECONDS, lent.cancel)
        cancelling.start()
        started = monotonic()

        with pytest.raises(Cancelled), network.call(lent, seconds=PATIENCE_SECONDS):
            connections.request("GET", f"{scheme}://{host}:{port}/")

        took = monotonic() - started
        cancelling.join()

    assert took < CANCEL_AFTER_SECONDS + 1
    assert connections.connections == []


def test_backend_cancelled_during_the_tls_handshake_returns_at_once(certificate: Path) -> None:
    """A server that accepts and then says nothing holds nobody."""
    lent = RecordingLent()
    with socket_server(stay_silent) as (host, port), pool(certificate) as connections:
        cancelling = Timer(CANCEL_AFTER_SECONDS, lent.cancel)
        cancelling.start()
        started = monotonic()

        with pytest.raises(Cancelled), network.call(lent, seconds=PATIENCE_SECONDS):
            connections.request("GET", f"https://{host}:{port}/")

        took = monotonic() - started
        cancelling.join()

    assert took < CANCEL_AFTER_SECONDS + 1


@pytest.fixture
def swallowing_address() -> Iterator[tuple[str, int]]:
    """An address that answers no attempt to connect: its queue is full."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    for queued in waiting:
        queued.setblocking(False)
        queued.connect_ex(listener.getsockname())
    yield listener.getsockname()
    for queued in [*waiting, listener]:
        queued.close()


def test_backend_cancelled_while_connecting_returns_at_once(swallowing_address: tuple[str, int]) -> None:
    """A host behind a firewall that drops everything holds nobody."""
    lent = RecordingLent()
    cancelling = Timer(CANCEL_AFTER_SECONDS, lent.cancel)
    cancelling.start()
    started = monotonic()

    with pytest.raises(Cancelled), network.call(lent, seconds=PATIENCE_SECONDS):
        Backend().connect_tcp(*swallowing_address)

    cancelling.join()
    assert monotonic() - started < CANCEL_AFTER_SECONDS + 1


def test_backend_with_a_dead_address_leaves_time_for_the_next(
    swallowing_address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several addresses, one that swallows everything costs its share of the time and no more."""
    with socket_server(stay_silent) as alive:
        rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in (swallowing_address, alive)]
        monkeypatch.setattr(sockets, "_find_addresses", lambda host, port: rows)

        with network.call(RecordingLent(), seconds=1):
            stream = Backend().connect_tcp("example.test", 80)

        reached = stream.get_extra_info("server_addr")
        stream.close()

    assert reached == alive


def test_backend_whose_resolver_hangs_gives_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver has no time limit, the call has."""
    released = Event()

    def hang(host: str, port: int, **options: int) -> list[sockets.Address]:
        if options.get("flags"):
            raise socket.gaierror
        released.wait(PATIENCE_SECONDS)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    started = monotonic()

    with pytest.raises(Overdue), network.call(RecordingLent(), seconds=0.2):
        Backend().connect_tcp("example.test", 80)

    assert monotonic() - started < 1
    released.set()


@pytest.mark.parametrize(
    "host",
    ["no-such-host.invalid", "a" * 64 + ".invalid"],  # a name nobody has, and one nobody can have
)
def test_backend_with_a_bad_name_raises_connect_error(host: str) -> None:
    """A name without an address is a failure to connect."""
    with pytest.raises(httpcore2.ConnectError), network.call(RecordingLent(), seconds=PATIENCE_SECONDS):
        Backend().connect_tcp(host, 80)
