"""What a step changes beside the state of its run, gathered until it is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from executions import hotpath
from executions.core import NodeStatus, RunEvent
from executions.core.scopes import TOP
from executions.core.statuses import WaitpointStatus
from executions.hotpath import Visit
from executions.models import Waitpoint


class Fresh(NamedTuple):
    """What a visit came to that is not in its row yet."""

    output: str | None  # JSON text
    error: str | None  # JSON text, of a failure that nothing took


@dataclass(slots=True, kw_only=True)
class Changes:
    """Rows to be written with a step, and events to be numbered."""

    events: list[RunEvent] = field(default_factory=list)
    born: dict[Visit, hotpath.NewRow] = field(default_factory=dict)
    ended: list[hotpath.Ended] = field(default_factory=list)
    again: list[hotpath.Again] = field(default_factory=list)
    chunks: list[hotpath.Chunk] = field(default_factory=list)
    response: str | None = None  # JSON text
    waitpoints: list[Waitpoint] = field(default_factory=list)  # that open
    folded_waitpoints: list[tuple[UUID, WaitpointStatus]] = field(default_factory=list)  # whose end the run knows now
    withdrawn: list[Visit] = field(default_factory=list)  # visits whose waitpoint is not wanted any more
    orphaned: list[Visit] = field(default_factory=list)  # visits whose child is not
    fresh: dict[Visit, Fresh] = field(default_factory=dict)
    moments: list[datetime] = field(default_factory=list)  # when there is to be another look at the run

    def bear(self, row: hotpath.NewRow) -> None:
        self.born[row.scope, row.node_id] = row
        if row.ended is not None:
            if row.scope != TOP:
                self.note(row.scope, row.node_id, row.ended)
            if row.ended.due_at is not None:
                self.moments.append(row.ended.due_at)

    def ask(self, row: hotpath.NewRow, waitpoint: Waitpoint) -> None:
        """A visit that waits for something outside."""
        self.bear(row)
        self.waitpoints.append(waitpoint)
        if waitpoint.due_at is not None:
            self.moments.append(waitpoint.due_at)

    def withdraw(self, scope: str, node_id: str) -> None:
        """Nobody is to answer it any more; one that would open in this very step never does."""
        self.waitpoints = [each for each in self.waitpoints if (each.scope, each.node_id) != (scope, node_id)]
        self.withdrawn.append((scope, node_id))

    @property
    def touches_waitpoints(self) -> bool:
        return bool(self.waitpoints or self.folded_waitpoints or self.withdrawn)

    def note(self, scope: str, node_id: str, recorded: hotpath.Recorded | hotpath.Ended) -> None:
        """Remember what a visit came to, for containers that close before it is written."""
        unhandled = recorded.status is NodeStatus.FAILED and not recorded.handled
        self.fresh[scope, node_id] = Fresh(recorded.output, recorded.error if unhandled else None)

    def close(self, node_id: str, scope: str, recorded: hotpath.Recorded) -> None:
        """A visit that no worker holds has come to its outcome."""
        self.end(
            hotpath.Ended(
                node_id=node_id,
                scope=scope,
                status=recorded.status,
                ended_at=recorded.ended_at,
                handled=recorded.handled,
                output=recorded.output,
                output_ref=recorded.output_ref,
                error=recorded.error,
                port=recorded.port,
                usage=recorded.usage,
            )
        )

    def end(self, row: hotpath.Ended) -> None:
        """End a row that no worker holds; one that would be born in this very step is born as it ended."""
        self.note(row.scope, row.node_id, row)
        born = self.born.get((row.scope, row.node_id))
        if born is None:
            self.ended.append(row)
            return
        # A pure node that was to be tried again has an attempt behind it, whose error is kept.
        before = born.ended or hotpath.Recorded(
            id=born.id,
            attempt=1,
            status=row.status,
            handled=False,
            started_at=born.ready_at,
            ended_at=row.ended_at,
        )
        ended = replace(
            before,
            status=row.status,
            handled=row.handled,
            ended_at=row.ended_at,
            due_at=None,
            output=row.output,
            output_ref=row.output_ref,
            error=row.error or before.error,
            port=row.port,
            usage=row.usage,
        )
        self.born[row.scope, row.node_id] = replace(born, status=row.status, ended=ended)

    def ends(self, scope: str, node_id: str) -> bool:
        """Whether a row that is there already is to be ended."""
        return any((row.scope, row.node_id) == (scope, node_id) for row in self.ended)
