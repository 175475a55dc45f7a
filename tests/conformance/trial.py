"""One case in one timing on the real stack: stored, started and read through the API, as a script would."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from executions.models import Event, Execution, ExecutionState, NodeRun, Snapshot, Waitpoint
from tests.conformance import shared
from tests.conformance.observation import Row, observed
from tests.conformance.timeline import Log
from tests.doors import Api, data
from tests.factories import WorkspaceFactory
from tests.nodes import counted
from tests.told import read_back

PLACEHOLDER: Final = {"nodes": {"start": {"type": "trigger", "name": "Start", "config": {}}}, "edges": []}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A run as the API shows it: itself, the visits of its nodes, and every event of it."""

    case: str
    run: dict[str, Any]
    visits: list[dict[str, Any]]
    told: list[dict[str, Any]]


@dataclass
class Trial:
    """From the case to what was observed of it, in the words of the suite."""

    case: dict[str, Any]
    timing: dict[str, int] | None
    issues: list[dict[str, Any]] = field(default_factory=list)
    execution_id: str | None = None  # None: not started yet, or rejected
    cancelled_at: datetime | None = None  # somebody asked for it

    def begin(self) -> None:
        """Store what the case needs and start its run, unless validation refuses it."""
        self.api = Api(WorkspaceFactory(name=self.case["id"]))
        for name, value in (self.case.get("env") or {}).items():
            told = value if isinstance(value, dict) else {"value": value}
            data(self.api.post("/variables", {"name": name, **told}), 201)
        self._known = self._store_children()
        definition = shared.module("check").apply_timing(self.case["definition"], self.timing)
        body = {"name": self.case["id"], "definition": _with_ids(definition, self._known)}
        workflow = data(self.api.post("/workflows", body), 201)
        self.workflow_id, self.issues = workflow["id"], workflow["issues"]
        if not any(issue["severity"] == "error" for issue in self.issues):
            self.execution_id = self.start()

    def start(self) -> str:
        """Start a run of the case's workflow. Returns its id."""
        start = self.case.get("start") or {}
        asked = {
            "inputs": self.case.get("inputs") or {},
            "entry": start.get("entry"),
            "until_node": start.get("stop_after"),
        }
        body = {key: value for key, value in asked.items() if value is not None}
        return str(data(self.api.post(f"/workflows/{self.workflow_id}/execute", body), 202)["execution_id"])

    def edit(self, definition: dict[str, Any]) -> None:
        """Save *definition* as the case's workflow, and publish it."""
        data(self.api.patch(f"/workflows/{self.workflow_id}", {"definition": _with_ids(definition, self._known)}))
        data(self.api.post(f"/workflows/{self.workflow_id}/publish"), 201)

    def _store_children(self) -> dict[str, str]:
        """The sub-workflows by name. They may call one another, so each has its id before any is drawn."""
        drawn = self.case.get("workflows") or {}
        known = {
            name: data(self.api.post("/workflows", {"name": name, "definition": PLACEHOLDER}), 201)["id"]
            for name in drawn
        }
        for name, definition in drawn.items():
            data(self.api.patch(f"/workflows/{known[name]}", {"definition": _with_ids(definition, known)}))
            data(self.api.post(f"/workflows/{known[name]}/publish"), 201)
        return known

    @property
    def run_id(self) -> UUID:
        return UUID(self.execution_id)

    def observation(self, log: Log, still_open: Collection[str]) -> dict[str, Any]:
        """What is to be seen of the run now; *log* is of its actions."""
        if self.execution_id is None:
            return {"status": "rejected", "issues": self.issues}
        run = data(self.api.get(f"/executions/{self.execution_id}"))
        begun, ended = _moment(run["created_at"]), _moment(run["completed_at"])
        asked = None if self.cancelled_at is None else self.cancelled_at.timestamp() * 1000
        return {
            "status": run["status"],
            "outputs": run["outputs"],
            "error": run["error"],
            "response": run.get("response"),
            **self.observed(),
            "issues": self.issues,
            "log": [*log, self._stored()],  # `absent_text` is looked for here, too
            "open": sorted(still_open),
            "effects": self._effects(),
            "variables": self._variables(),
            "elapsed_ms": None if ended is None or begun is None else ended - begun,
            "cancel_ms": None if ended is None or asked is None else ended - asked,
        }

    def observed(self) -> dict[str, Any]:
        """Its node runs, as an observation has them."""
        return observed(row for run, call in self._runs() for row in self._rows(run, call))

    def _runs(self) -> list[tuple[str, str]]:
        """The run and those that it started, each with what stands before the paths of its nodes."""
        found = [(str(self.execution_id), "")]
        parents = [(run["id"], run["parent"]) for run in self._pages("/executions")] if self._known else []
        for run, call in found:
            found += [
                (child, f"{call}{_path(parent)}/")
                for child, parent in parents
                if parent and parent["execution_id"] == run
            ]
        return found

    def shown(self) -> list[Shown]:
        """The run and those that it started, as the API shows each now, with all that was told of it."""
        return [
            Shown(
                case=self.case["id"],
                run=data(self.api.get(f"/executions/{run}")),
                visits=[*self._pages(f"/executions/{run}/nodes")],
                told=_told(UUID(run)),
            )
            for run, _ in self._runs()
        ]

    def _rows(self, run: str, call: str) -> Iterator[Row]:
        for row in self._pages(f"/executions/{run}/nodes"):
            yield Row(
                node_id=row["node_id"],
                scope=row["scope"],
                type=row["type"],
                status=row["status"],
                handled=row["handled"],
                kept=row["kept"],
                attempts=row["attempt"],
                output=row["output"],
                error=row["error"],
                start=_moment(row["started_at"]),
                end=_moment(row["completed_at"]),
                call=call,
            )

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            answer = self.api.get(path, {"page": page, "per_page": 100})
            yield from data(answer)
            if not answer.json()["pagination"]["has_next"]:
                return
            page += 1

    # No door shows the variables of a run, what a plug-in counted, or what lies in the rows.
    def _variables(self) -> Any:
        state = ExecutionState.objects.values_list("state", flat=True).get(pk=self.execution_id)
        return state["variables"] if state else {}

    def _effects(self) -> dict[str, int]:
        total: dict[str, int] = defaultdict(int)
        for run, _ in self._runs():
            for node_id, times in counted(run).items():
                total[node_id] += times
        return dict(total)

    def _stored(self) -> str:
        runs = Execution.objects.filter(workspace=self.api.workspace)
        rows = [
            *runs.values(),
            *ExecutionState.objects.filter(execution__in=runs).values(),
            *NodeRun.objects.filter(execution__in=runs).values(),
            *Event.objects.filter(execution__in=runs).values(),
            *Waitpoint.objects.filter(execution__in=runs).values(),
            *Snapshot.objects.filter(execution__in=runs).values(),
        ]
        return json.dumps(rows, default=str, ensure_ascii=False)


def _told(run: UUID) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    while page := read_back(run, after=len(frames)):
        frames += page
    return frames


def _with_ids(definition: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """*definition* with the ids of stored workflows in place of their names."""
    if not known:
        return definition
    drawn: dict[str, Any] = json.loads(json.dumps(definition))
    for node in drawn["nodes"].values():
        if node["type"] == "subWorkflow":
            node["config"]["workflow"] = known.get(node["config"]["workflow"], node["config"]["workflow"])
    return drawn


def _path(place: dict[str, Any]) -> str:
    return f"{place['scope']}/{place['node_id']}" if place["scope"] else str(place["node_id"])


def _moment(written: str | None) -> float | None:
    """Milliseconds."""
    return None if written is None else datetime.fromisoformat(written).timestamp() * 1000
