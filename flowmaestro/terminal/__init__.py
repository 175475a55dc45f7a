"""Runs in a terminal: started over the HTTP API, followed over the WebSocket, shown as they go.

    progress = watch(client, execution, view_for(console), on_pause(client, execution, console, key_path=path))

It is a client like any other: nothing here reads the database, so it shows what everybody else can see.
"""

from flowmaestro.terminal.client import ApiError, Client
from flowmaestro.terminal.follow import FollowError
from flowmaestro.terminal.progress import RunProgress, fold
from flowmaestro.terminal.watch import View, live_page, on_pause, view_for, watch

__all__ = [
    "ApiError",
    "Client",
    "FollowError",
    "RunProgress",
    "View",
    "fold",
    "live_page",
    "on_pause",
    "view_for",
    "watch",
]
