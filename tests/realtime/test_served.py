"""The doors behind the server we ship, over real connections: what a test client in our own process cannot show."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
import redis
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from executions import tickets
from tests.doors import Api
from tests.realtime.runs import Run
from tests.realtime.served import Server, serving
from tests.stack import database_url
from workflows.models import Workspace


@pytest.fixture(scope="module")
def port(server: Server) -> int:
    return server.port


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    """One of our own, with the test's database."""
    with django_db_blocker.unblock():
        url = database_url()
    with serving(url) as server:
        yield server


def socket(run: Run, port: int, **options: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{port}/ws/executions/{run.id}/", **options)


def test_socket_tells_a_run_from_snapshot_to_end(run: Run, port: int) -> None:
    """Through the network: in order, with the text that was streamed, and a close that says that it is over."""
    token = tickets.issue(run.id, run.workspace_id)
    with socket(run, port, subprotocols=["flowmaestro", token]) as client:
        heard = [json.loads(client.recv(5))]
        run.begin("first")
        run.stream("first", 0, "Grüße 👋")
        run.finish("first", {"text": "Grüße 👋"})
        run.complete({"text": "Grüße 👋"})
        heard += [json.loads(text) for text in client]  # until the close
        code = client.close_code

    assert client.subprotocol == "flowmaestro"
    assert [frame["type"] for frame in heard] == [
        "snapshot",
        "node:started",
        "node:token",
        "node:completed",
        "execution:completed",
    ]
    assert heard[2]["text"] == heard[-1]["data"]["outputs"]["text"] == "Grüße 👋"
    assert code == 1000


def test_socket_without_a_ticket_is_told_why_it_is_closed(run: Run, port: int) -> None:
    """A code that a browser sees, not a failed handshake."""
    with socket(run, port) as client, pytest.raises(ConnectionClosed) as closed:
        client.recv(5)

    assert closed.value.rcvd.code == 4401


def test_stream_comes_as_it_happens_and_ends(run: Run, port: int) -> None:
    """No layer between us and the client keeps events back until there are more of them."""
    api = Api(Workspace.objects.get(pk=run.workspace_id))
    client = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Authorization": f"Bearer {api.text}", "Accept": "text/event-stream"}
    client.request("GET", f"/api/v1/executions/{run.id}/events", headers=headers)
    answer = client.getresponse()
    lines = iter(answer.readline, b"")
    for line in lines:
        if line.startswith(b"id: 1"):
            break
    began = time.monotonic()
    run.complete({"answer": 42})
    rest = b"".join(lines).decode()
    client.close()

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert json.loads(rest.split("data: ")[-1])["outputs"] == {"answer": 42}
    assert time.monotonic() - began < 2


def test_reader_of_a_stream_that_hangs_up_is_forgotten(run: Run, server: Server, redis_client: redis.Redis) -> None:
    """The server's reader of Redis goes when its last listener does."""
    api = Api(Workspace.objects.get(pk=run.workspace_id))
    client = HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"Authorization": f"Bearer {api.text}", "Accept": "text/event-stream"}
    client.request("GET", f"/api/v1/executions/{run.id}/events", headers=headers)
    client.getresponse().readline()

    def reads() -> bool:
        return any(one["name"] == f"flowmaestro-hub-{server.pid}" for one in redis_client.client_list())

    during = reads()
    client.close()
    deadline = time.monotonic() + 5
    while reads() and time.monotonic() < deadline:
        time.sleep(0.05)

    assert (during, reads()) == (True, False)


def test_page_and_its_files_are_served(run: Run, port: int) -> None:
    """A clone serves them as they are: no build, no collecting."""
    token = tickets.issue(run.id, run.workspace_id)
    client = HTTPConnection("127.0.0.1", port, timeout=10)
    types = {}
    for path in (f"/executions/{run.id}/live?token={token}", "/static/realtime/live.js", "/static/realtime/live.css"):
        client.request("GET", path)
        answer = client.getresponse()
        answer.read()
        types[path.split("?")[0].rpartition("/")[2]] = (answer.status, answer.headers["Content-Type"])
    client.close()

    assert types == {
        "live": (200, "text/html; charset=utf-8"),
        "live.js": (200, 'text/javascript; charset="utf-8"'),
        "live.css": (200, 'text/css; charset="utf-8"'),
    }
