"""All that can be reported to a run. What a failure means for its edges is settled before it is reported."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from executions.core.state import Tests
from handlers import JSONObject, VariableWrite


# Not frozen: a burst makes one for each node, and freezing doubles what each costs.
@dataclass(slots=True, kw_only=True)
class _OfNode:
    node_id: str
    scope: str


@dataclass(slots=True, kw_only=True)
class _OfAttempt(_OfNode):
    attempt: int
    started_at: datetime
    ended_at: datetime
    announced: bool = True  # node:started is among the events already


@dataclass(slots=True, kw_only=True)
class Succeeded(_OfAttempt):
    """The node completed: by itself, or because its `onError` turned a failure into an output."""

    port: str | None = None
    writes: tuple[VariableWrite, ...] = ()
    usage: JSONObject | None = None
    expired: bool = False  # nobody answered in time: of its edges, only those of `port` are taken
    continued: str | None = None  # the node that its worker has started after it: `core.segments`


@dataclass(slots=True, kw_only=True)
class Failed(_OfAttempt):
    """The node failed and will not be tried again."""

    error: JSONObject  # {"message", "code", "node_id", "attempts", "at", "details"}
    handled: bool  # it has an error edge


@dataclass(slots=True, kw_only=True)
class Retrying(_OfAttempt):
    """An attempt failed; there will be another."""

    error: JSONObject
    due_at: datetime


@dataclass(slots=True, kw_only=True)
class Due(_OfNode):
    """The wait before a node's next attempt is over."""


@dataclass(slots=True, kw_only=True)
class Delegated(_OfNode):
    """The node started a run of its own, whose end will be its outcome."""

    started_at: datetime


@dataclass(slots=True, kw_only=True)
class ChildMoved(_OfNode):
    """The run that a node started has paused, or goes on."""

    is_paused: bool


@dataclass(slots=True, kw_only=True)
class Paused(_OfNode):
    """The node waits for something outside, which will be its outcome."""

    waitpoint: JSONObject  # what is told of it: events.EVENT_FIELDS


@dataclass(slots=True, kw_only=True)
class Opened(_OfNode):
    """A container's configuration is known."""

    started_at: datetime
    total: int | None  # iterations or branches; None: its condition says
    width: int = 1
    limit: int | None = None
    tests: Tests | None = None
    collects_failures: bool = False


@dataclass(slots=True, kw_only=True)
class Tested(_OfNode):
    """What a loop's condition came to, as it sees iteration *index*."""

    index: int
    is_met: bool


Outcome: TypeAlias = Succeeded | Failed | Retrying | Due | Delegated | ChildMoved | Paused | Opened | Tested
