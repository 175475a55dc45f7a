"""Against an API of a few lines; the real one is met in tests/e2e."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flowmaestro.terminal import ApiError, Client
from handlers import JSONObject

DEFINITION: JSONObject = {"name": "Greeting", "nodes": {}, "edges": []}


class Api(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, Any]] = {}  # by "METHOD path"
        self.calls: list[tuple[str, Any]] = []
        self.keys: set[str | None] = set()


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        call = f"{self.command} {self.path.removeprefix('/api/v1')}"
        self.server.calls.append((call, json.loads(self.rfile.read(length)) if length else None))
        self.server.keys.add(self.headers["Authorization"])
        status, body = self.server.answers[call]
        content = json.dumps(body if status >= 400 else {"data": body, "meta": {}}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *words: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(api: Api) -> Client:
    return Client(f"http://127.0.0.1:{api.server_address[1]}", "fm_live_x")


SEARCH = "GET /workflows?search=Greeting&per_page=100"


def stored(**changes: Any) -> dict[str, Any]:
    return {"id": "1", "version": 1, "definition": DEFINITION, "unpublished_changes": False, "issues": [], **changes}


def test_store_workflow_that_is_there_unchanged_takes_it(api: Api, client: Client) -> None:
    """A second demo does not fill the list with copies."""
    api.answers = {
        SEARCH: (200, [{"id": "1", "name": "Greeting", "version": 1}]),
        "GET /workflows/1": (200, stored()),
    }

    assert client.store_workflow(DEFINITION) == "1"
    assert api.keys == {"Bearer fm_live_x"}


@pytest.mark.parametrize(
    ("summary", "found"),
    [
        ({"id": "1", "name": "Greeting", "version": 1}, stored(definition={"name": "Greeting"})),  # another drawing
        ({"id": "1", "name": "Greeting", "version": 1}, stored(unpublished_changes=True)),  # what runs is older
        ({"id": "1", "name": "Greeting", "version": None}, stored()),  # a draft
        ({"id": "1", "name": "Greetings", "version": 1}, stored()),  # the search finds parts of names
    ],
)
def test_store_workflow_that_differs_makes_its_own(
    api: Api, client: Client, summary: dict[str, Any], found: dict[str, Any]
) -> None:
    """Somebody's workflow of the same name stays as it is."""
    api.answers = {
        SEARCH: (200, [summary]),
        "GET /workflows/1": (200, found),
        "POST /workflows": (201, stored(id="2")),
    }

    assert client.store_workflow(DEFINITION) == "2"
    assert api.calls[-1] == ("POST /workflows", {"name": "Greeting", "description": "", "definition": DEFINITION})


def test_store_workflow_with_faults_tells_them_all(api: Api, client: Client) -> None:
    """An author repairs in one round; warnings do not keep it from running."""
    issues = [
        {"severity": "error", "node_id": "a", "message": "No prompt."},
        {"severity": "warning", "node_id": "a", "message": "Unused."},
        {"severity": "error", "message": "No nodes."},
    ]
    api.answers = {SEARCH: (200, []), "POST /workflows": (201, stored(version=None, issues=issues))}

    with pytest.raises(ApiError) as caught:
        client.store_workflow(DEFINITION)

    assert str(caught.value) == "'Greeting' cannot run:\n  a: No prompt.\n  Greeting: No nodes."


def test_call_that_is_refused_has_the_apis_words_and_code(api: Api, client: Client) -> None:
    """The error body is made to be shown."""
    error = {"code": "not_found", "message": "No such workflow", "details": {"id": "9"}}
    api.answers = {"POST /workflows/9/execute": (404, {"error": error, "meta": {}})}

    with pytest.raises(ApiError) as caught:
        client.execute("9", {})

    assert (str(caught.value), caught.value.code, caught.value.details) == (
        "No such workflow",
        "not_found",
        {"id": "9"},
    )


def test_call_that_nobody_answers_says_where(client: Client, api: Api) -> None:
    """A refused connection is an ApiError like any other, so that one handler is enough."""
    client = Client("http://127.0.0.1:1", "fm_live_x")

    with pytest.raises(ApiError) as caught:
        client.execution("9")

    assert caught.value.code == "unreachable"
    assert str(caught.value).startswith("http://127.0.0.1:1 does not answer: ")
