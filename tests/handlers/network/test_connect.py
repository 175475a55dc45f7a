from __future__ import annotations

import socket
from typing import Any

import httpcore2
import pytest

from handlers import network
from handlers.errors import EgressRefused, NodeTimeout, Unreachable
from handlers.network.calls import Overdue
from handlers.network.sockets import Backend
from tests.handlers.cancelling import cancelled
from tests.handlers.fakes import RecordingLent
from tests.handlers.policies import resolving
from tests.handlers.servers import Reply, http_server, read_request, socket_server, stay_silent


def test_connect_gives_a_socket_that_is_shut_down_when_the_call_is_stopped() -> None:
    """A client that waits on it, and knows of no cancelling, comes back at once."""
    lent = RecordingLent()
    with (
        socket_server(stay_silent) as (host, port),
        cancelled(lent),
        network.call(lent, seconds=20),
        network.connect(host, port) as sock,
    ):
        raise Unreachable(f"the server sent {sock.recv(1)!r}")


def test_connect_gives_a_socket_that_is_shut_down_when_the_time_is_up() -> None:
    """Whatever time limits the client itself keeps, and however often they begin anew."""
    with (
        socket_server(stay_silent) as (host, port),
        network.call(RecordingLent(), seconds=0.3) as call,
        network.connect(host, port) as sock,
    ):
        sock.settimeout(20)
        received = sock.recv(1)

        assert (received, call.is_overdue) == (b"", True)


def test_connect_after_the_call_leaves_the_socket_alone() -> None:
    """A call that is over ends nothing any more."""
    lent = RecordingLent()
    with socket_server(read_request) as (host, port):
        with network.call(lent, seconds=20):
            sock = network.connect(host, port)
        lent.cancel()

        sock.sendall(b"x")
        sock.close()


@pytest.mark.parametrize("reach", [network.connect, network.addresses])
@pytest.mark.usefixtures("default_policy")
def test_clients_of_other_protocols_are_refused_like_http(reach: Any) -> None:
    """There is one guard."""
    with pytest.raises(EgressRefused), network.call(RecordingLent(), seconds=20):
        reach("localhost", 5432)


def test_addresses_are_those_that_were_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a client that can only be told where to connect."""
    resolving(monkeypatch, ["127.0.0.1", "127.0.0.2"])

    with network.call(RecordingLent(), seconds=20):
        assert network.addresses("db.test", 5432) == ["127.0.0.1", "127.0.0.2"]


def test_connect_to_nobody_fails_as_unreachable() -> None:
    """In the words of nodes, not of HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    unreachable = pytest.raises(Unreachable, match=f"127.0.0.1:{port} cannot be reached")
    with unreachable, network.call(RecordingLent(), seconds=20):
        network.connect("127.0.0.1", port)


def test_connect_without_time_left_fails_as_timeout() -> None:
    with pytest.raises(NodeTimeout), network.call(RecordingLent(), seconds=0):
        network.connect("127.0.0.1", 9)


def test_deadline_lets_others_use_the_client_for_so_long() -> None:
    """What is sent on behalf of the site has a time limit too, and the same guard."""
    with http_server(Reply(body=b"ok")) as server, network.deadline(seconds=20):
        assert network.client().get(server.url).text == "ok"


@pytest.mark.usefixtures("default_policy")
def test_deadline_is_guarded_like_a_call() -> None:
    with pytest.raises(EgressRefused), network.deadline(seconds=20):
        network.client().get("http://127.0.0.1:9/")


def test_deadline_that_is_over_ends_what_waits() -> None:
    """Whoever it is that answers nothing."""
    with socket_server(stay_silent) as (host, port), pytest.raises(Overdue), network.deadline(seconds=0.2):
        httpcore2.ConnectionPool(network_backend=Backend()).request("GET", f"http://{host}:{port}/")
