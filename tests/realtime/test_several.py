"""Several web processes behind a proxy that spreads connections among them, and loses them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from executions import tickets
from tests.realtime.runs import Run
from tests.realtime.served import Server, serving
from tests.realtime.spreading import spread
from tests.stack import database_url
from tests.told import read_back


@pytest.fixture(scope="module")
def servers(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            url = database_url()
        yield [stack.enter_context(serving(url)) for _ in range(2)]


class Client:
    """It folds nothing: it keeps each numbered event and each text that came, over all its connections."""

    def __init__(self, run: Run, port: int) -> None:
        self._address = f"ws://127.0.0.1:{port}/ws/executions/{run.id}/?token={tickets.issue(run.id, run.workspace_id)}"
        self.events: list[dict[str, Any]] = []
        self.text = ""
        self.connections = 0

    def follow(self) -> None:
        """Until the run is over, coming back with the last number it has."""
        while not self.events or self.events[-1]["type"] != "execution:completed":
            last = self.events[-1]["seq"] if self.events else 0
            try:
                with connect(f"{self._address}&after={last}", open_timeout=5) as socket:
                    self.connections += 1
                    for text in socket:
                        self._take(json.loads(text))
            except (ConnectionClosed, OSError, TimeoutError, EOFError):
                continue

    def _take(self, frame: dict[str, Any]) -> None:
        match frame:
            case {"type": "snapshot", "streams": {"first/": {"text": text}}}:
                self.text = text
            case {"type": "node:token", "offset": offset, "text": text}:
                assert offset <= len(self.text), "a piece is missing"
                self.text = self.text[:offset] + text
            case {"seq": _, "timestamp": _}:
                self.events.append(frame)


def test_client_that_is_led_elsewhere_each_second_misses_nothing_and_sees_nothing_twice(
    run: Run, servers: list[Server]
) -> None:
    """Whichever process it comes back to: the number it has says what it lacks. Its text grows without a hole."""
    run.begin("first")
    said = ""
    with spread([server.port for server in servers], cut_every=0.5) as proxy:
        clients = [Client(run, proxy.port) for _ in range(3)]
        threads = [Thread(target=client.follow) for client in clients]
        for thread in threads:
            thread.start()
        while min(client.connections for client in clients) < 4:  # led from one to the other and back
            run.stream("first", len(said), "word ")
            said += "word "
            run.tell("node:progress", "first", done=len(said))
            time.sleep(0.02)
        run.finish("first", {"text": said})
        run.complete({"text": said})
        for thread in threads:
            thread.join(30)

    stored = read_back(run.id)
    connection.close()
    assert [client.events for client in clients] == [stored] * 3
    assert {said.startswith(client.text) for client in clients} == {True}
    assert {*proxy.led_to} == {server.port for server in servers}
