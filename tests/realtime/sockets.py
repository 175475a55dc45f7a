"""A client of a run's socket, driven within the test's own process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from executions import tickets
from realtime.routing import websocket_urlpatterns
from tests.realtime.runs import Run

APPLICATION = URLRouter(websocket_urlpatterns)


class Socket(WebsocketCommunicator):
    """A client: JSON in and out, and the code of the close."""

    async def read(self) -> dict[str, Any]:
        return json.loads(await self.receive_from(timeout=5))

    async def take(self, count: int) -> list[dict[str, Any]]:
        return [await self.read() for _ in range(count)]

    async def say(self, **message: Any) -> None:
        await self.send_to(text_data=json.dumps(message))

    async def closed(self) -> int:
        """The code of the close; frames before it are read and dropped."""
        while True:
            output = await self.receive_output(5)
            if output["type"] == "websocket.close":
                return output["code"]


@asynccontextmanager
async def opened(
    run: Run, *, token: str | None = "", after: int | str | None = None, **options: Any
) -> AsyncIterator[Socket]:
    """A socket of *run*; *token* "": a good one, None: none."""
    token = tickets.issue(run.id, run.workspace_id) if token == "" else token
    query = "&".join([f"token={token}"] * (token is not None) + [f"after={after}"] * (after is not None))
    socket = Socket(APPLICATION, f"/ws/executions/{run.id}/?{query}", **options)
    accepted, socket.subprotocol = await socket.connect(timeout=5)
    assert accepted
    yield socket
    await socket.disconnect()
