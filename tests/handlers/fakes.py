"""What a handler needs to run without an engine: `RecordingLent`, and `run` and others around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from handlers import Cancelled, NodeInput, Pause, Resumed
from handlers.registry import load

CATALOGUE = load()
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EXECUTION = UUID("01900000-0000-7000-8000-000000000001")
WORKSPACE = UUID("01900000-0000-7000-8000-000000000002")


class RecordingLent:
    """Lends what the engine lends, keeps what it is told, and is cancelled by `cancel`, from any thread."""

    def __init__(self, *, seconds: float = 30) -> None:
        self.seconds = seconds
        self.tokens: list[str] = []
        self.logs: list[tuple[str, str]] = []
        self.cancelled = False
        self._stops: list[Callable[[], None]] = []

    def token(self, text: str) -> None:
        self.check_cancelled()
        self.tokens.append(text)

    def log(self, level: str, message: str) -> None:
        self.logs.append((level, message))

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise Cancelled

    def on_cancel(self, stop: Callable[[], None]) -> None:
        self._stops.append(stop)
        if self.cancelled:
            stop()

    def remaining(self) -> float:
        return self.seconds

    def cancel(self) -> None:
        self.cancelled = True
        for stop in self._stops:
            stop()


def attempt(node_type: str, config: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> NodeInput[Any]:
    """The first attempt of a node of that type whose configuration has been resolved to *config*."""
    return NodeInput(
        config=CATALOGUE[node_type].handler.Config.model_validate(config),
        inputs=dict(inputs or {}),
        execution_id=EXECUTION,
        workspace_id=WORKSPACE,
        node_id="node",
        scope="",
        attempt=1,
        now=NOW,
    )


def pause(node_type: str, config: Mapping[str, Any]) -> Pause:
    """What a node of that type waits for."""
    signal = run(node_type, config).signal
    assert isinstance(signal, Pause)
    return signal


def resume(
    node_type: str, config: Mapping[str, Any], answer: Any, *, votes: Sequence[Any] = (), after: timedelta = timedelta()
) -> Any:
    """The data of a node of that type once *answer* has come, *after* some time."""
    resumed = Resumed(
        node_id="node",
        scope="",
        state=pause(node_type, config).state,
        answer=answer,
        votes=tuple(votes),
        paused_at=NOW,
        now=NOW + after,
    )
    return CATALOGUE[node_type].handler.resume(resumed).data


def run(
    node_type: str,
    config: Mapping[str, Any],
    *,
    inputs: Mapping[str, Any] | None = None,
    lent: RecordingLent | None = None,
) -> Any:
    """The NodeOutput of one attempt, as Any, since tests look into its data; what it raises comes through."""
    return CATALOGUE[node_type].handler.run(attempt(node_type, config, inputs), lent or RecordingLent())
