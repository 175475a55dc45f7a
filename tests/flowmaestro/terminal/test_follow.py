"""Against a WebSocket server that does as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from websockets.sync.server import ServerConnection, serve

from flowmaestro.terminal import ApiError, FollowError
from flowmaestro.terminal import follow as module
from flowmaestro.terminal.follow import Frame, follow

Act = Callable[[ServerConnection], None]


def event(seq: int, kind: str = "node:started") -> Frame:
    return {"type": kind, "seq": seq, "data": {}}


def send(connection: ServerConnection, *frames: dict[str, Any]) -> None:
    for frame in frames:
        connection.send(json.dumps(frame))


@contextmanager
def server(*acts: Act) -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    """The address of a server whose connections do one act each, and the queries they came with."""
    queries: list[dict[str, list[str]]] = []

    def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        queries.append(parse_qs(urlsplit(connection.request.path).query))
        acts[len(queries) - 1](connection)

    with serve(handle, "127.0.0.1", 0) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{running.socket.getsockname()[1]}/ws", queries
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RECONNECT_SECONDS", 0.01)


def test_follow_through_a_lost_connection_goes_on_after_the_last_event() -> None:
    """None missing, none twice; the snapshot's number is ahead of the events and does not count."""
    first = [{"type": "snapshot", "seq": 7, "streams": {}}, event(1), event(2)]
    second = [{"type": "snapshot", "seq": 7, "streams": {}}, event(3), event(4, "execution:completed")]

    def cut(connection: ServerConnection) -> None:
        send(connection, *first)
        connection.close_socket()

    with server(cut, lambda connection: send(connection, *second)) as (url, queries):
        tokens = iter(["one", "two"])
        frames = [frame for frame in follow(url, lambda: next(tokens)) if frame is not None]

    assert frames == [*first, *second]
    assert queries == [{"token": ["one"], "after": ["0"]}, {"token": ["two"], "after": ["2"]}]


def test_follow_answers_pings() -> None:
    """Who does not answer is taken for slow."""
    answers: list[Any] = []
    ping = {"type": "ping", "seq": 0}

    def ask(connection: ServerConnection) -> None:
        send(connection, ping)
        answers.append(json.loads(connection.recv()))
        send(connection, event(1, "execution:failed"))

    with server(ask) as (url, _):
        frames = [frame for frame in follow(url, lambda: "t") if frame is not None]

    assert answers == [{"type": "pong"}]
    assert frames == [ping, event(1, "execution:failed")]


def test_follow_of_a_connection_that_says_nothing_tries_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that accepts and then hangs would otherwise be waited for without end."""
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.3)
    is_over = threading.Event()

    with server(
        lambda connection: is_over.wait() and None,
        lambda connection: send(connection, event(1, "execution:completed")),
    ) as (url, queries):
        frames = [frame for frame in follow(url, lambda: "t") if frame is not None]
        is_over.set()

    assert frames == [event(1, "execution:completed")]
    assert len(queries) == 2


def test_follow_of_a_quiet_run_says_that_nothing_happens() -> None:
    """The picture goes on moving, and what is held is shown."""

    def wait(connection: ServerConnection) -> None:
        threading.Event().wait(0.5)
        send(connection, event(1, "execution:completed"))

    with server(wait) as (url, _):
        frames = list(follow(url, lambda: "t"))

    assert frames[0] is None
    assert frames[-1] == event(1, "execution:completed")


@pytest.mark.parametrize("code", [4400, 4403, 4404])
def test_follow_that_is_refused_for_good_gives_up(code: int) -> None:
    """Asking again would change nothing."""
    with (
        server(lambda connection: connection.close(code, "no")) as (url, queries),
        pytest.raises(FollowError) as caught,
    ):
        list(follow(url, lambda: "t"))

    assert str(caught.value) == f"The server refuses: no ({code})."
    assert len(queries) == 1


@pytest.mark.parametrize("code", [4401, 4408, 1013, 1011])
def test_follow_that_is_sent_away_comes_back(code: int) -> None:
    """An expired ticket, a slow reader, a busy or broken server: each is over by the next time."""
    with server(
        lambda connection: connection.close(code, "later"),
        lambda connection: send(connection, event(1, "execution:completed")),
    ) as (url, queries):
        frames = [frame for frame in follow(url, lambda: "t") if frame is not None]

    assert frames == [event(1, "execution:completed")]
    assert len(queries) == 2


def test_follow_of_a_server_that_stays_away_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart is waited for, not for ever. Tokens come from the same server."""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)

    def away() -> str:
        raise ApiError("does not answer", code="unreachable")

    with pytest.raises(FollowError) as caught:
        list(follow("ws://127.0.0.1:1/ws", away))

    assert str(caught.value) == "No news from ws://127.0.0.1:1/ws for 0 seconds: does not answer"
