"""All that the scheduler can ask of the shell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from executions.core.failure import Verdict
from executions.core.statuses import RunStatus
from handlers import JSONObject


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfNode:
    node_id: str
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNode(_OfNode):
    """Run this node: it is ready and within the run's cap."""

    attempt: int = 1  # above 1, it has a row that waits for this


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenContainer(_OfNode):
    """Resolve the container's configuration and report it as Opened; keep its items. At once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCondition(_OfNode):
    """Evaluate the loop's condition for iteration *index* and report it as Tested. At once."""

    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectResults(_OfNode):
    """Put the outputs of a container's *count* iterations or branches together and report it as Succeeded. At once."""

    count: int
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndContainer(_OfNode):
    """Record that a container ended without results of its own."""

    verdict: Verdict
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelNode(_OfNode):
    """Its scope was stopped: its row is not wanted any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond(_OfNode):
    """Its output answers whoever waits for this run's response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRun:
    """The run is over."""

    status: RunStatus
    at: datetime
    error: JSONObject | None = None
    outputs_of: tuple[str, ...] = ()  # top-level nodes whose outputs are the run's, in plan order
    named: bool = False  # they are `output` nodes: their outputs are merged; otherwise keyed by node id


Command: TypeAlias = (
    RunNode | OpenContainer | TestCondition | CollectResults | EndContainer | CancelNode | Respond | CloseRun
)
