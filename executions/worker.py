"""Nodes that were sent to workers: claimed and run without the lock of their run, and the segments they begin."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from uuid import UUID

from executions import containers, hotpath, outage, runner
from executions.alarm import alarm
from executions.attempts import in_flight
from executions.changes import Changes
from executions.core import NodeStatus, continuation, next_in_segment
from executions.core.context import container_context
from executions.core.scopes import TOP, around, path
from executions.dispatch import Fold
from executions.drain import drain
from executions.driver import IN_LINE_FOR, drive, look, note_failure
from executions.environment import environment_of
from executions.leases import lease
from executions.plans import Prepared, prepared
from executions.report import Ran, Visit
from handlers import JSONObject
from workflows.core import PlanNode
from workflows.ids import uuid7
from workflows.variables.services import Environment

logger = logging.getLogger(__name__)


def run_nodes(node_run_ids: Sequence[UUID], *, fold: Fold) -> None:
    """Claim and run these node runs, one after the other, and drive if what follows may be ready.

    *fold* says whether it may. The run is folded a few times a second, too, for those who watch it. Does not raise for
    what a node makes it do: the body of a chord comes only when every part of it has returned.
    """
    until, owner = monotonic() + IN_LINE_FOR, outage.retried(lease.id)
    to_drive: set[UUID] = set()
    for node_run_id in node_run_ids:
        if drain.is_wanted:
            break  # what is not claimed stays ready, and the sweep of another worker sends it
        claimed = outage.retried(partial(hotpath.claim, node_run_id, owner=owner))
        if claimed is None:
            continue  # another delivery took it, or nobody wants it any more
        try:
            has_to_drive = Segment(claimed, owner=owner, until=until).run(fold)
        except Exception:  # the claim is given back by `leases.Orphans`: another attempt, or the third failure
            logger.exception("to run node %s of run %s raised", claimed.node_id, claimed.execution_id)
            note_failure(claimed.execution_id)
            continue
        if has_to_drive:
            to_drive.add(claimed.execution_id)
    for execution_id in to_drive:
        drive(execution_id, until=until)


class Segment:
    """A claimed node, and those that its worker goes on with: `executions.core.segments`."""

    def __init__(self, claimed: hotpath.ClaimedRow, *, owner: int, until: float) -> None:
        self.claimed, self.owner, self.until = claimed, owner, until
        self.plan = outage.retried(lambda: prepared(claimed.version_id))

    def run(self, fold: Fold) -> bool:
        """Run it to its end. Returns whether to drive; *fold* was said of the end that the plan has it come to."""
        is_watched = is_over = recorded = False
        while not is_over:
            with in_flight.kept(self.claimed.id):
                if is_watched:
                    look(self.claimed.execution_id)
                recorded, is_watched, is_over = self._run_node()
        if not recorded:
            return False
        has_more = next_in_segment(self.plan.graph, self.plan.graph.node(self.claimed.node_id)) is not None
        return is_watched or self._has_to_drive(Fold.DRIVE if has_more else fold)

    def _run_node(self) -> tuple[bool, bool, bool]:
        """Run and record. Returns whether the outcome is recorded, whether a fold is due for the run's watchers, and
        whether it was the last; if not, the next is claimed.
        """
        claimed = self.claimed
        visit = Visit(
            row_id=claimed.id,
            execution_id=claimed.execution_id,
            workspace_id=claimed.workspace_id,
            node_id=claimed.node_id,
            scope=claimed.scope,
            number=claimed.attempt,
            history=claimed.history,
            asked_at=claimed.asked_at,
        )
        sources = Stored(claimed.execution_id, claimed.workspace_id, claimed.inputs, self.plan)
        ran = runner.run_claimed(self.plan, visit, sources, at=datetime.now(UTC), announced=False)
        follower = self._follower(ran)
        if follower is not None:
            return self._go_on(ran, follower)
        recorded, is_watched = outage.retried(
            lambda: hotpath.record(ran.recorded, owner=self.owner),
            check=lambda: (hotpath.is_recorded(ran.recorded, owner=self.owner), False),
        )
        if recorded and ran.recorded.due_at is not None:
            alarm.at(ran.recorded.due_at, claimed.execution_id)
            is_watched = True  # that it waits for another attempt, its run must know
        return recorded, is_watched, True

    def _follower(self, ran: Ran) -> PlanNode | None:
        if drain.is_wanted or monotonic() > self.until:
            return None
        return continuation(self.plan.graph, ran.outcome)

    def _go_on(self, ran: Ran, follower: PlanNode) -> tuple[bool, bool, bool]:
        row = hotpath.NewRow(
            id=uuid7(),
            node_id=follower.id,
            scope=self.claimed.scope,
            node_type=follower.type,
            lane=follower.lane,
            status=NodeStatus.RUNNING,
            ready_at=ran.recorded.ended_at,
        )
        asked_at = monotonic()
        recorded, is_watched, went_on = outage.retried(
            lambda: hotpath.record_and_go_on(
                ran.recorded, row, execution_id=self.claimed.execution_id, owner=self.owner
            ),
            check=lambda: (hotpath.is_recorded(ran.recorded, owner=self.owner), False, hotpath.exists(row.id)),
        )
        if went_on:
            self.claimed = replace(
                self.claimed, id=row.id, node_id=row.node_id, attempt=1, history=None, asked_at=asked_at
            )
        return recorded, is_watched, not went_on

    def _has_to_drive(self, fold: Fold) -> bool:
        """Whether nobody else will drive for what we have just recorded.

        Who looks, looks after its own outcome is committed: of those that wait for one another, the last sees nobody
        out.
        """
        if fold is not Fold.LOOK:
            return fold is Fold.DRIVE
        claimed = self.claimed
        body = self.plan.graph.body(claimed.scope)
        followers = [arc.other for arc in body.out[body.position[claimed.node_id]]]
        is_out = partial(hotpath.is_out, claimed.execution_id)
        if not followers:  # the end of a branch, or of the run
            within = None if claimed.scope == TOP else f"{path(*around(claimed.scope)[:2])}["
            return not outage.retried(partial(is_out, within=within))
        leading = [[body.nodes[place].id for place in body.upstream(follower)] for follower in followers]
        return not all(outage.retried(partial(is_out, scope=claimed.scope, nodes=nodes)) for nodes in leading)


@dataclass(frozen=True, slots=True)
class Stored:
    """Values of a run that is not in our hands: its rows."""

    execution_id: UUID
    workspace_id: UUID
    inputs: str
    prepared: Prepared

    def outputs(self, visits: Collection[hotpath.Visit]) -> dict[hotpath.Visit, str]:
        return outage.retried(lambda: hotpath.outputs(self.execution_id, visits))

    def variables(self) -> JSONObject:
        return outage.retried(lambda: hotpath.variables(self.execution_id))

    def environment(self) -> Environment:
        return environment_of(self.prepared, self.workspace_id)

    def container(self, scope: str, node_id: str, index: int, needs: Collection[str]) -> JSONObject:
        context = container_context(node_id, index)
        if {"item", "total"} & set(needs):
            item, total = outage.retried(lambda: containers.item_at(self.execution_id, scope, node_id, index))
            context = container_context(node_id, index, total=total, item=item)
        if "results" in needs:
            results = outage.retried(
                lambda: containers.gather(self.execution_id, self.prepared, scope, node_id, index, Changes())
            )
            context["results"] = [json.loads(result) for result in results]
        return context
