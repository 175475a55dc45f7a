"""Who starts runs, as a script does over HTTP: again, if there was no answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

from django.db import connection

from executions import outage
from executions.models import Execution
from executions.services import start_execution
from handlers import JSONObject
from tests.chaos.workloads import Family, Workload
from tests.factories import WorkflowFactory, WorkflowVersionFactory
from workflows.models import WorkflowVersion


@dataclass(frozen=True, slots=True)
class Ask:
    """A run that is to be started."""

    family: Family
    workload: Workload
    version: WorkflowVersion


@dataclass(frozen=True, slots=True)
class Asked:
    """One that was."""

    ask: Ask
    execution_id: UUID


def publish(family: Family, workload: Workload) -> Ask:
    """Store the workflow of *workload*, and those that it starts."""
    ids: dict[str, str] = {}
    parent = WorkflowFactory(name=family.name)
    for name, definition in workload.workflows.items():
        child = WorkflowVersionFactory(workflow__workspace=parent.workspace, workflow__definition=definition)
        ids[name] = str(child.workflow_id)
    parent.definition = _with_ids(workload.definition, ids)
    parent.save(update_fields=["definition"])
    return Ask(family, workload, WorkflowVersionFactory(workflow=parent))


def start(ask: Ask) -> Asked:
    """Until it is stored, and not twice: each is marked."""
    mark = uuid4().hex

    def stored() -> Execution | None:
        return Execution.objects.filter(tags__contains=[mark]).first()

    execution = outage.retried(
        lambda: start_execution(ask.version, inputs=dict(ask.workload.inputs), tags=[mark]), check=stored
    )
    return Asked(ask, execution.pk)


class Clients:
    """Threads that start what they are given, for as long as the context."""

    def __init__(self, number: int) -> None:
        self._asks: SimpleQueue[Ask] = SimpleQueue()
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(number)]
        self._wanted = 0
        self.asked: list[Asked] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def give(self, asks: Sequence[Ask]) -> None:
        self._wanted += len(asks)
        for ask in asks:
            self._asks.put(ask)

    @property
    def are_done(self) -> bool:
        """Whether all that they were given is stored."""
        return len(self.asked) == self._wanted

    def _run(self) -> None:
        while not self._is_over.is_set():
            try:
                ask = self._asks.get(timeout=0.1)
            except Empty:
                continue
            self.asked.append(start(ask))
        connection.close()


def _with_ids(definition: JSONObject, ids: dict[str, str]) -> JSONObject:
    nodes = {
        name: node
        if node["type"] != "subWorkflow"
        else {**node, "config": {**node["config"], "workflow": ids[node["config"]["workflow"]]}}
        for name, node in definition["nodes"].items()
    }
    return {**definition, "nodes": nodes}
