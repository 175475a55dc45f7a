from __future__ import annotations

import gzip
import logging
import socket
import subprocess
import sys
from threading import Thread

import httpx2
import pytest

from handlers import network
from handlers.errors import ProviderError
from handlers.network.client import _make_client
from tests.handlers.fakes import RecordingLent, run
from tests.handlers.servers import Reply, http_server, read_request, socket_server


def get(url: str) -> httpx2.Response:
    with network.call(RecordingLent(), seconds=20):
        return network.client().get(url)


def test_client_is_one_for_all_threads() -> None:
    """Threads share connections, and each gets its own answer."""
    answers: dict[int, list[str]] = {}
    with http_server(Reply(body=b"same")) as server:

        def ask(number: int) -> None:
            answers[number] = [get(f"{server.url}/{number}").text for _ in range(5)]

        threads = [Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers == {number: ["same"] * 5 for number in range(8)}
    assert len(server.received) == 40


def test_client_given_a_cookie_does_not_send_it() -> None:
    """Nodes of different workspaces share the client, and must not share a session."""
    with http_server(Reply(headers={"Set-Cookie": "session=secret; Path=/"})) as server:
        get(server.url)
        get(server.url)

    assert [request.headers.get("cookie") for request in server.received] == [None, None]


def test_client_when_made_silences_the_log_of_urls() -> None:
    """Keys stand in some of them."""
    logger = logging.getLogger("httpx2")
    logger.setLevel(logging.INFO)

    _make_client().close()

    assert not logger.isEnabledFor(logging.INFO)


FORK = """
import os
from handlers import network
from handlers.network.client import _make_client

parents = network.client()
child = os.fork()
if child == 0:
    os._exit(network.client() is parents)
_, status = os.waitpid(child, 0)
raise SystemExit(os.waitstatus_to_exitcode(status) or network.client() is not parents)
"""


def test_client_in_a_forked_process_is_another() -> None:
    """A child that used its parent's connections would read its siblings' answers."""
    ended = subprocess.run([sys.executable, "-c", FORK], check=False, timeout=60)

    assert ended.returncode == 0


@pytest.mark.parametrize(
    ("speech", "error"),
    [
        (b"", httpx2.RemoteProtocolError),  # hangs up
        (b"SSH-2.0-OpenSSH_9.6\r\n", httpx2.RemoteProtocolError),  # is no web server
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", httpx2.RemoteProtocolError),  # hangs up in the middle
    ],
)
def test_client_of_a_server_that_misbehaves_raises_httpx_errors(speech: bytes, error: type[Exception]) -> None:
    """Errors of the layer below come out as those of httpx, which is what its users handle."""

    def talk(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(speech)

    with socket_server(talk) as (host, port), pytest.raises(error):
        get(f"http://{host}:{port}/")


def test_client_unpacks_a_bomb_piece_by_piece() -> None:
    """Who counts as it is unpacked can stop in time: a few kilobytes may hold a gigabyte."""
    bomb = Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"0" * 50_000_000))
    with (
        http_server(bomb) as server,
        network.call(RecordingLent(), seconds=20),
        network.client().stream("GET", server.url) as response,
    ):
        sizes = [len(piece) for piece in response.iter_bytes()]

    assert (sum(sizes), max(sizes) < 6_000_000) == (50_000_000, True)


@pytest.mark.parametrize("packing", ["gzip, gzip", "gzip,deflate", "br", "zstd", "compress"])
def test_client_of_an_answer_that_is_packed_otherwise_does_not_unpack_it(packing: str) -> None:
    """A bomb of several layers, of which each holds a thousand times the one around it."""
    body = gzip.compress(gzip.compress(b"0" * 1_000_000))
    with http_server(Reply(headers={"Content-Encoding": packing}, body=body)) as server:
        with pytest.raises(httpx2.DecodingError, match="packed as"):
            get(server.url)
        with pytest.raises(ProviderError) as failure:
            run("http", {"url": server.url})

    assert (failure.value.code, failure.value.retryable) == ("invalid_response", False)


@pytest.mark.parametrize("packing", ["identity", "", "gzip"])
def test_client_of_an_answer_that_is_packed_as_asked_unpacks_it(packing: str) -> None:
    body = gzip.compress(b"ok") if packing == "gzip" else b"ok"
    with http_server(Reply(headers={"Content-Encoding": packing}, body=body)) as server:
        assert get(server.url).text == "ok"
