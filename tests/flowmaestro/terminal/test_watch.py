from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from executions.core.statuses import RunStatus
from flowmaestro.terminal import RunProgress, View, watch
from flowmaestro.terminal.follow import Frame
from flowmaestro.terminal.plain import PlainView
from handlers import JSONObject
from tests.flowmaestro.terminal.script import Script, paused_run, resumed_run

STARTED: JSONObject = {"execution_id": "0190", "realtime": {"token": "t", "websocket_url": "ws://x/y"}}


class Api:
    def execution(self, execution_id: str) -> JSONObject:
        return {"outputs": None, "outputs_omitted": None}


def watched(script: Script, monkeypatch: pytest.MonkeyPatch, *answers: bool) -> tuple[RunProgress, list[RunStatus]]:
    """The run in the end, and how it stood each time that somebody was to be asked; the answers are whether he left."""
    asked: list[RunStatus] = []

    def follow(url: str, get_token: Any) -> Iterator[Frame | None]:
        for frame in script.frames:
            yield None
            yield frame
        yield None

    def on_pause(run: RunProgress, view: View) -> bool:
        asked.append(run.status)
        return answers[len(asked) - 1]

    monkeypatch.setattr(sys.modules[watch.__module__], "follow", follow)
    run = watch(Api(), STARTED, PlainView(Console(file=io.StringIO())), on_pause)  # type: ignore[arg-type]
    return run, asked


def test_watch_asks_when_a_run_is_paused_and_nothing_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, and afterwards, nobody is asked."""
    run, asked = watched(resumed_run(), monkeypatch, False)

    assert (run.status, asked) == (RunStatus.COMPLETED, [RunStatus.PAUSED])


def test_watch_of_a_run_that_is_left_paused_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on without us."""
    run, asked = watched(paused_run(), monkeypatch, True)

    assert (run.status, asked) == (RunStatus.PAUSED, [RunStatus.PAUSED])
