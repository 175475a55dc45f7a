"""A run told by hand: rows as the engine writes them, told through its signals or kept silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from executions.core import NodeStatus, RunStatus
from executions.core.events import FINAL_EVENTS
from executions.frames import Frame
from executions.models import Event, Execution, ExecutionState, NodeRun
from executions.signals import events_recorded, token_streamed
from handlers import Effect, Lane
from tests.told import read_back
from workflows.core.plan import EdgeType, Plan, PlanEdge, PlanNode
from workflows.fields import dumps
from workflows.models import User, Workflow, WorkflowVersion, Workspace
from workflows.workspaces.services import create_workspace

BEGAN = datetime(2026, 5, 4, 12, 0, 0, tzinfo=UTC)
_numbers = count(1)


def plan_of(*names: str, edges: str = "", entry: str | None = None) -> Plan:
    """A plan of nodes by id, `id` or `id:type`; edges as "a>b, a-true>c, a!>d" (success, port, error)."""
    parts = [name.partition(":") for name in names]
    drawn = []
    for edge in filter(None, (edge.strip() for edge in edges.split(","))):
        left, _, target = edge.partition(">")
        source, _, port = left.rstrip("!").partition("-")
        kind = EdgeType.ERROR if left.endswith("!") else EdgeType.PORT if port else EdgeType.SUCCESS
        drawn.append(PlanEdge(source=source, target=target, type=kind, port=port or None))
    return Plan(
        nodes=tuple(
            PlanNode(
                id=name, type=kind or "test.echo", name=name.title(), config={}, effect=Effect.PURE, lane=Lane.DRIVE
            )
            for name, _, kind in parts
        ),
        edges=tuple(drawn),
        entry=entry or parts[0][0],
    )


class Run:
    """A run and the pen to write it on with."""

    def __init__(
        self, plan: Plan | None = None, *, workspace: Workspace | None = None, name: str = "Order triage"
    ) -> None:
        plan = plan or plan_of("first", "second", edges="first>second")
        workspace = workspace or a_workspace()
        workflow = Workflow.objects.create(workspace=workspace, name=name, definition={})
        version = WorkflowVersion.objects.create(workflow=workflow, number=1, definition={}, plan=plan.dump())
        self.plan, self.workspace_id = plan, workspace.pk
        self.execution = Execution.objects.create(
            workspace=workspace, workflow=workflow, version=version, entry=plan.entry, created_at=BEGAN
        )
        self.id: UUID = self.execution.pk
        self.seq = 0
        ExecutionState.objects.create(execution=self.execution, folded_at=BEGAN)
        self.tell(
            "execution:started",
            silent=True,
            workflow_id=str(workflow.pk),
            workflow_name=name,
            total_nodes=len(plan.nodes),
            rerun_of=None,
        )

    def tell(
        self, kind: str, node: str | None = None, *, scope: str = "", silent: bool = False, **data: Any
    ) -> dict[str, Any]:
        """Write the next event and say so, unless it is to be *silent*: then only the rows have it."""
        self.seq += 1
        at = BEGAN + timedelta(seconds=self.seq)
        output = data.pop("output", None)
        if node is not None:
            data = {"node_type": "test.echo", "node_name": node.title(), **data}
            self._write_node(kind, node, scope, at, output, data)
        if kind in FINAL_EVENTS:
            status = RunStatus(kind.removeprefix("execution:"))
            Execution.objects.filter(pk=self.id).update(
                status=status, ended_at=at, outputs=output, error=data.get("error")
            )
        elif self.seq > 1:
            Execution.objects.filter(pk=self.id).update(status=RunStatus.RUNNING, started_at=BEGAN)
        Event.objects.create(execution_id=self.id, seq=self.seq, type=kind, node_id=node, scope=scope, data=data, at=at)
        ExecutionState.objects.filter(pk=self.id).update(seq=self.seq)
        [frame] = read_back(self.id, after=self.seq - 1)
        if not silent:
            self.announce(frame)
        return frame

    def announce(self, *told: dict[str, Any]) -> None:
        frames = [
            Frame(
                seq=frame["seq"],
                type=frame["type"],
                node_id=frame.get("node_id"),
                scope=frame.get("scope", ""),
                text=dumps(frame),
            )
            for frame in told
        ]
        events_recorded.send(sender=None, execution_id=self.id, workspace_id=self.workspace_id, frames=frames)

    def stream(self, node: str, offset: int, text: str, *, scope: str = "") -> None:
        token_streamed.send(sender=None, execution_id=self.id, stream=f"{node}/{scope}", offset=offset, text=text)

    def begin(self, node: str, **options: Any) -> dict[str, Any]:
        return self.tell("node:started", node, attempt=1, **options)

    def finish(self, node: str, output: Any = None, *, port: str | None = None, **options: Any) -> dict[str, Any]:
        return self.tell(
            "node:completed", node, output=output, attempt=1, duration_ms=1000, port=port, usage=None, **options
        )

    def complete(self, outputs: Any = None, **options: Any) -> dict[str, Any]:
        return self.tell("execution:completed", output=outputs, duration_ms=self.seq * 1000, **options)

    def _write_node(self, kind: str, node: str, scope: str, at: datetime, output: Any, data: dict[str, Any]) -> None:
        match kind:
            case "node:started":
                values: dict[str, Any] = {"status": NodeStatus.RUNNING, "started_at": at, "ready_at": at}
            case "node:retrying":
                values = {
                    "status": NodeStatus.READY,
                    "attempt": data["attempt"] + 1,
                    "ended_at": at,
                    "error": data["error"],
                    "due_at": data["due_at"],
                }
            case "node:completed":
                values = {"status": NodeStatus.COMPLETED, "ended_at": at, "output": output, "port": data["port"]}
            case "node:failed":
                values = {
                    "status": NodeStatus.FAILED,
                    "ended_at": at,
                    "error": data["error"],
                    "handled": data["handled"],
                }
            case _:
                return
        if kind != "node:started":
            values |= {"ready_at": at}
        defaults = {"announced": True, "node_type": data["node_type"], "lane": Lane.DRIVE, **values}
        NodeRun.objects.update_or_create(execution_id=self.id, node_id=node, scope=scope, defaults=defaults)


def a_workspace(name: str = "Acme") -> Workspace:
    return create_workspace(name, owner=a_user())


def a_user() -> User:
    number = next(_numbers)
    return User.objects.create_user(username=f"person{number}", password="secret")
