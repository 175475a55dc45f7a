"""What the nodes of a run in our hands refer to: what went through them, and the rows for the rest."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass

from executions import containers, hotpath, outage
from executions.changes import Changes
from executions.core import Burst, RunState
from executions.core.context import container_context
from executions.core.scopes import path
from executions.core.state import COMPLETED, EXPIRED, HANDLED
from executions.environment import environment_of
from executions.store import Run
from handlers import JSONObject
from workflows.variables.services import Environment


@dataclass(slots=True)  # not frozen, as the visits it is made for
class InHand:
    """Values of a run in our hands: what went through them, and the rows for the rest."""

    run: Run
    burst: Burst | None  # None: no step since the run was written
    changes: Changes

    @property
    def state(self) -> RunState:
        """As of the last step: put together only for a node that reads."""
        state = self.run.state if self.burst is None else self.burst.state
        if state is None:
            raise AssertionError("nothing runs before the first step")
        return state

    @property
    def inputs(self) -> str:
        return self.run.inputs

    def outputs(self, visits: Collection[hotpath.Visit]) -> Mapping[hotpath.Visit, str]:
        graph, scopes = self.run.prepared.graph, self.state.scopes
        ran = [
            (scope, node)
            for scope, node in visits
            if scopes[scope].marks[graph.body(scope).position[node]] in (COMPLETED, EXPIRED, HANDLED)
        ]
        known = {visit: self.run.outputs[visit] for visit in ran if visit in self.run.outputs}
        if unknown := [visit for visit in ran if visit not in known]:
            known |= outage.retried(lambda: hotpath.outputs(self.run.id, unknown))
        return known

    def variables(self) -> JSONObject:
        """A copy: what a handler does to its configuration is not done to the run."""
        return deepcopy(self.state.variables)

    def environment(self) -> Environment:
        """Read once for all that is run in one turn."""
        if self.run.environment is None:
            self.run.environment = environment_of(self.run.prepared, self.run.workspace_id)
        return self.run.environment

    def container(self, scope: str, node_id: str, index: int, needs: Collection[str]) -> JSONObject:
        visit, frame = (scope, node_id), self.state.frames[path(scope, node_id)]
        context = container_context(node_id, index, total=frame.total)
        if "item" in needs and frame.total is not None:
            if visit in self.run.items:
                items = self.run.items[visit]
                context |= dict.fromkeys(("item", "currentItem"), deepcopy(items[index]) if items else None)
            else:
                item, _ = outage.retried(lambda: containers.item_at(self.run.id, scope, node_id, index))
                context |= dict.fromkeys(("item", "currentItem"), item)
        if "results" in needs:
            results = outage.retried(
                lambda: containers.gather(self.run.id, self.run.prepared, scope, node_id, index, self.changes)
            )
            context["results"] = [json.loads(result) for result in results]
        return context
