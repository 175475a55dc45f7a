"""Follow one run to its end and show it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from rich.console import Console

from executions.core.statuses import RunStatus
from flowmaestro.terminal.asking import Absent, Prompt
from flowmaestro.terminal.client import Client
from flowmaestro.terminal.follow import Frame, follow
from flowmaestro.terminal.live import LiveView
from flowmaestro.terminal.plain import PlainView
from flowmaestro.terminal.progress import RunProgress, fold
from handlers import JSONObject


class View(Protocol):
    def __enter__(self) -> Self: ...
    def __exit__(self, *exit_info: object) -> None: ...

    def show(self, frame: Frame | None, run: RunProgress) -> None:
        """*frame* came and made the run *run*; None: nothing came for a moment."""

    def aside(self) -> AbstractContextManager[None]:
        """A time in which it leaves the terminal to others."""


OnPause: TypeAlias = Callable[[RunProgress, View], bool]


def view_for(console: Console) -> View:
    return LiveView(console) if console.is_terminal and not console.is_dumb_terminal else PlainView(console)


def on_pause(client: Client, started: JSONObject, console: Console, *, key_path: Path) -> OnPause:
    """What to do when the run that was *started* asks something: whoever sits at a terminal is asked."""
    execution_id = str(started["execution_id"])
    absent = Absent(client, execution_id, console, key_path=key_path)
    return Prompt(client, execution_id, console, absent) if sys.stdin.isatty() else absent


def watch(client: Client, started: JSONObject, view: View, on_pause: OnPause) -> RunProgress:
    """The run that `Client.execute` *started*, once it is over; or paused, once *on_pause* says that it is left so.

    Raises FollowError, ApiError.
    """
    execution_id = str(started["execution_id"])
    realtime = cast("dict[str, str]", started["realtime"])
    tokens = iter([realtime["token"]])
    run = RunProgress()
    with view:
        for frame in follow(
            _without_query(realtime["websocket_url"]), lambda: next(tokens, "") or client.ticket(execution_id)
        ):
            if frame is not None:
                run = fold(run, frame)
            view.show(frame, run)
            if frame is None and run.status is RunStatus.PAUSED and on_pause(run, view):
                break
    if run.outputs is None:  # too long for a frame, or those of a run that did not complete
        told: dict[str, Any] = client.execution(execution_id)
        run = replace(run, outputs=told["outputs"], outputs_omitted=told["outputs_omitted"])
    return run


def live_page(url: str, started: JSONObject) -> str:
    """The address of the page of a run that was just started, for as long as its token lives."""
    realtime = cast("dict[str, str]", started["realtime"])
    return f"{url}/executions/{started['execution_id']}/live?{urlencode({'token': realtime['token']})}"


def _without_query(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(query=""))
