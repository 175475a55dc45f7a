"""The frames of a run, from its first event to its last, through lost connections and expiring tokens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode

from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from executions.core.events import FINAL_EVENTS
from flowmaestro.terminal.client import ApiError
from realtime.core.wire import Close

SILENCE_SECONDS: Final = 50.0  # of a connection; the server pings every 20
PATIENCE_SECONDS: Final = 120.0  # without a frame from any connection; a restart of everything takes a few seconds
RECONNECT_SECONDS: Final = 1.0
_TICK_SECONDS: Final = 0.2
_REFUSED: Final = frozenset({Close.MALFORMED, Close.WRONG_RUN, Close.UNKNOWN_RUN})  # asking again changes nothing


Frame: TypeAlias = "dict[str, Any]"  # JSON, as realtime sends it


class FollowError(Exception):
    """The run can no longer be followed; it goes on all the same."""


def follow(url: str, get_token: Callable[[], str]) -> Iterator[Frame | None]:
    """Frames in order, numbered ones once each, until that of the run's end. None: nothing came for a moment.

    *url* is the WebSocket's without its query. *get_token* is called for each connection, so that one that ended with
    its token is replaced. Raises FollowError.
    """
    last = 0
    heard_at = time.monotonic()
    while True:
        try:
            query = urlencode({"token": get_token(), "after": last})
            # No proxy of the environment, and no limit of ours: the server has one.
            with connect(f"{url}?{query}", proxy=None, max_size=None, open_timeout=10) as socket:
                for frame in _frames(socket):
                    given_at = time.monotonic()
                    yield frame
                    heard_at += time.monotonic() - given_at  # while a caller asks a person, it hears nothing
                    if frame is None:
                        continue
                    heard_at = time.monotonic()
                    if "data" in frame:  # an event; a snapshot's number is ahead of what we have
                        last = frame["seq"]
                        if frame["type"] in FINAL_EVENTS:
                            return
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            if code in _REFUSED and closed.rcvd:
                raise FollowError(f"The server refuses: {closed.rcvd.reason} ({code}).") from closed
            lost: Exception = closed
        except (OSError, InvalidHandshake, ApiError) as error:
            lost = error
        if time.monotonic() - heard_at > PATIENCE_SECONDS:
            raise FollowError(f"No news from {url} for {PATIENCE_SECONDS:.0f} seconds: {lost}") from lost
        yield None
        time.sleep(RECONNECT_SECONDS)


def _frames(socket: ClientConnection) -> Iterator[Frame | None]:
    """What comes, pings included, which are answered. Raises TimeoutError when it has been silent for too long."""
    give_up_at = time.monotonic() + SILENCE_SECONDS
    while time.monotonic() < give_up_at:
        try:
            frame = json.loads(socket.recv(timeout=_TICK_SECONDS))
        except TimeoutError:
            yield None
            continue
        give_up_at = time.monotonic() + SILENCE_SECONDS
        if frame["type"] == "ping":
            socket.send('{"type": "pong"}')  # who does not answer is taken for slow and sent away
        yield frame
    raise TimeoutError(f"not a word for {SILENCE_SECONDS:.0f} seconds")
