"""All that the scheduler can ask of the shell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from executions.core.statuses import RunStatus
from handlers import JSONObject


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNode:
    """Run this node: it is ready and within the run's cap."""

    node_id: str
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRun:
    """The run is over."""

    status: RunStatus
    at: datetime
    error: JSONObject | None = None
    outputs_of: tuple[str, ...] = ()  # top-level nodes whose outputs are the run's, in plan order
    named: bool = False  # they are `output` nodes: their outputs are merged; otherwise keyed by node id


Command: TypeAlias = RunNode | CloseRun
