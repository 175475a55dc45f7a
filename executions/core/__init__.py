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
    BlobDamaged,
    BlobError,
    BlobMissing,
    BlobsAway,
    ExecutionError,
    IllegalTransition,
    NotCancellable,
    OutputsTooLarge,
    StateTooNew,
)
from executions.core.events import EventType, RunEvent
from executions.core.failure import Verdict, judge
from executions.core.graph import Graph, lay_out
from executions.core.news import worth_folding
from executions.core.outcomes import Delegated, Due, Failed, Opened, Outcome, Retrying, Succeeded, Tested
from executions.core.results import Parts, collect, load_parts
from executions.core.scheduler import Burst, Step, advance, cancel, start, started
from executions.core.state import RunState, load_state
from executions.core.statuses import NodeStatus, RunStatus

__all__ = [
    "BlobDamaged",
    "BlobError",
    "BlobMissing",
    "BlobsAway",
    "Burst",
    "CancelNode",
    "CloseRun",
    "CollectResults",
    "Command",
    "Delegated",
    "Due",
    "EndContainer",
    "EventType",
    "ExecutionError",
    "Failed",
    "Graph",
    "IllegalTransition",
    "NodeStatus",
    "NotCancellable",
    "OpenContainer",
    "Opened",
    "Outcome",
    "OutputsTooLarge",
    "Parts",
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
    "cancel",
    "collect",
    "judge",
    "lay_out",
    "load_parts",
    "load_state",
    "start",
    "started",
    "worth_folding",
]
