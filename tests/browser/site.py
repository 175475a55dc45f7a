"""A site for people with browsers: our web server, workers beside it, services for nodes to ask, one workspace."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from socket import create_connection, create_server
from typing import Any, Final

import httpx2
from django.conf import settings

from tests.browser.author import Author
from tests.handlers.servers import Received, Reply, http_server
from tests.stack import environment, workers_on_test_database
from workflows.models import User
from workflows.workspaces.roles import ALL_SCOPES
from workflows.workspaces.services import create_api_key, create_workspace

PASSWORD: Final = "a-password-of-the-tests"
FINAL: Final = ("completed", "failed", "cancelled")


class Supplier:
    """A service that nodes ask; it fails while it is not well."""

    def __init__(self) -> None:
        self.url = ""
        self._is_well = False

    @contextmanager
    def well(self) -> Iterator[None]:
        self._is_well = True
        yield
        self._is_well = False

    @contextmanager
    def serve(self) -> Iterator[Supplier]:
        with http_server(answer=self._answer) as server:
            self.url = f"{server.url}/offer"
            yield self

    def _answer(self, asked: Received) -> Reply:
        del asked
        headers = {"Content-Type": "application/json"}
        return Reply(status=200 if self._is_well else 500, headers=headers, body=b'{"pieces": 12}')


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is stored is asked for through the API: the browser's event loop is in our thread, where Django will not."""

    url: str
    port: int
    key: str
    user: str
    author: Author
    supplier: Supplier

    def get(self, path: str, **query: Any) -> Any:
        return self._call("GET", path, params=query)["data"]

    def post(self, path: str, body: Any = None) -> Any:
        return self._call("POST", path, json=body or {})["data"]

    def start(self, definition: Mapping[str, Any], inputs: Any = None, **options: Any) -> str:
        """The id of a run of a workflow that is stored for it."""
        stored = self.post("/workflows", {"name": definition["name"], "definition": definition})
        assert stored["version"], stored["issues"]
        return self.again(stored["id"], inputs, **options)

    def again(self, workflow_id: str, inputs: Any = None, **options: Any) -> str:
        body = {"inputs": inputs or {}, **options}
        return str(self.post(f"/workflows/{workflow_id}/execute", body)["execution_id"])

    def run(self, execution_id: str) -> Any:
        return self.get(f"/executions/{execution_id}")

    def events(self, execution_id: str) -> list[dict[str, Any]]:
        """All that are stored, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.get(f"/executions/{execution_id}/events", after=len(found), limit=500)
            found += page["events"]
            if not page["has_more"]:
                return found

    def statuses(self, execution_id: str) -> dict[str, str]:
        """Of the nodes at the top, by id."""
        nodes = self.get(f"/executions/{execution_id}/nodes", per_page=100, scope="")
        return {node["node_id"]: node["status"] for node in nodes}

    def wait_for(self, execution_id: str, *statuses: str, seconds: float = 60) -> str:
        """Until the run has one of these *statuses*, or is over if none is named."""
        wanted, ends = statuses or FINAL, time.monotonic() + seconds
        while (status := str(self.run(execution_id)["status"])) not in wanted:
            assert time.monotonic() < ends, f"{execution_id} is {status}, not {' or '.join(wanted)}"
            time.sleep(0.1)
        return status

    def _call(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        answer = httpx2.request(method, f"{self.url}/api/v1{path}", headers=headers, timeout=30, **more)
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def open_site() -> Iterator[Site]:
    """On the test database. Asks for it itself, so it is opened before any browser is."""
    user = User.objects.create_superuser("watcher", password=PASSWORD)
    workspace = create_workspace("Watched", owner=user)
    _, key = create_api_key(workspace, name="browser", scopes=ALL_SCOPES, created_by=user)
    with Author().serve() as author, Supplier().serve() as supplier:
        model = {"OPENAI_BASE_URL": author.url, "OPENAI_API_KEY": "key-of-the-tests"}
        with workers_on_test_database(1, **model), _web() as port:
            yield Site(
                url=f"http://127.0.0.1:{port}", port=port, key=key, user=user.username, author=author, supplier=supplier
            )


@contextmanager
def _web() -> Iterator[int]:
    """The port of a web process of its own."""
    with create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    served = {**environment(), "REDIS_URL": settings.REDIS_URL, "SECRET_KEY": settings.SECRET_KEY}
    command = [sys.executable, "-m", "daphne", "-v0", "-p", str(port), "flowmaestro.asgi:application"]
    process = subprocess.Popen(command, env={**os.environ, "LOG_LEVEL": "ERROR", **served}, cwd=settings.BASE_DIR)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        assert process.poll() is None, "the server did not start"
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server does not listen")
