"""All that a node can report to the run. What a failure means for its edges is settled before it is reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from handlers import JSONObject, VariableWrite


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    """The node completed: by itself, or because its `onError` turned a failure into an output."""

    node_id: str
    scope: str
    attempt: int
    started_at: datetime
    ended_at: datetime
    port: str | None = None
    writes: tuple[VariableWrite, ...] = ()
    usage: JSONObject | None = None
    announced: bool = True  # node:started is among the events already


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The node failed and will not be tried again."""

    node_id: str
    scope: str
    attempt: int
    started_at: datetime
    ended_at: datetime
    error: JSONObject  # {"message", "code", "node_id", "attempts", "at", "details"}
    handled: bool  # it has an error edge
    announced: bool = True


Outcome: TypeAlias = Succeeded | Failed
