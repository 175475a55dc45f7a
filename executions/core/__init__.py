"""What a run does next, decided over plain values. Pure: no Django, no Celery, no clock, no chance.

graph = lay_out(plan)
step = start(graph, now=now)                       # step.commands: what to run first
step = advance(graph, step.state, outcomes, now=now)
"""

from executions.core.commands import (
    CancelNode,
    CloseRun,
    CollectResults,
    Command,
    EndContainer,
    OpenContainer,
    Respond,
    RunNode,
    TestCondition,
)
from executions.core.errors import (
    BadStart,
    BadVersion,
    BlobDamaged,
    BlobError,
    BlobMissing,
    BlobsAway,
    ExecutionError,
    IllegalTransition,
    NotCancellable,
    NotDeletable,
    NotHeld,
    NothingFailed,
    NotOverYet,
    NotPausable,
    NotRepeatable,
    OutputsTooLarge,
    StateTooNew,
)
from executions.core.events import EventType, RunEvent
from executions.core.failure import Verdict, judge
from executions.core.graph import Graph, lay_out
from executions.core.kept import Kept
from executions.core.news import after_segments, worth_folding
from executions.core.outcomes import (
    ChildMoved,
    Delegated,
    Due,
    Failed,
    Opened,
    Outcome,
    Paused,
    Retrying,
    Succeeded,
    Tested,
)
from executions.core.rerunning import EndedRun, NextRun, kept_by_rerun, kept_by_retry
from executions.core.results import Parts, collect, load_parts
from executions.core.scheduler import Burst, Step, advance, cancel, hold, release, start, started
from executions.core.segments import continuation, next_in_segment, segment_end
from executions.core.state import RunState, load_state
from executions.core.statuses import NodeStatus, RunStatus

__all__ = [
    "BadStart",
    "BadVersion",
    "BlobDamaged",
    "BlobError",
    "BlobMissing",
    "BlobsAway",
    "Burst",
    "CancelNode",
    "ChildMoved",
    "CloseRun",
    "CollectResults",
    "Command",
    "Delegated",
    "Due",
    "EndContainer",
    "EndedRun",
    "EventType",
    "ExecutionError",
    "Failed",
    "Graph",
    "IllegalTransition",
    "Kept",
    "NextRun",
    "NodeStatus",
    "NotCancellable",
    "NotDeletable",
    "NotHeld",
    "NotOverYet",
    "NotPausable",
    "NotRepeatable",
    "NothingFailed",
    "OpenContainer",
    "Opened",
    "Outcome",
    "OutputsTooLarge",
    "Parts",
    "Paused",
    "Respond",
    "Retrying",
    "RunEvent",
    "RunNode",
    "RunState",
    "RunStatus",
    "StateTooNew",
    "Step",
    "Succeeded",
    "TestCondition",
    "Tested",
    "Verdict",
    "advance",
    "after_segments",
    "cancel",
    "collect",
    "continuation",
    "hold",
    "judge",
    "kept_by_rerun",
    "kept_by_retry",
    "lay_out",
    "load_parts",
    "load_state",
    "next_in_segment",
    "release",
    "segment_end",
    "start",
    "started",
    "worth_folding",
]
