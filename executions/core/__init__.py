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
from executions.core.errors import ExecutionError, IllegalTransition, NotCancellable, StateTooNew
from executions.core.events import EventType, RunEvent
from executions.core.failure import Verdict, judge
from executions.core.graph import Graph, lay_out
from executions.core.news import worth_folding
from executions.core.outcomes import Failed, Outcome, Succeeded
from executions.core.results import collect
from executions.core.scheduler import Step, advance, cancel, start, started
from executions.core.state import RunState, load_state
from executions.core.statuses import NodeStatus, RunStatus

__all__ = [
    "CloseRun",
    "Command",
    "EventType",
    "ExecutionError",
    "Failed",
    "Graph",
    "IllegalTransition",
    "NodeStatus",
    "NotCancellable",
    "Outcome",
    "RunEvent",
    "RunNode",
    "RunState",
    "RunStatus",
    "StateTooNew",
    "Step",
    "Succeeded",
    "Verdict",
    "advance",
    "cancel",
    "collect",
    "judge",
    "lay_out",
    "load_state",
    "start",
    "started",
    "worth_folding",
]
