"""Whether what a run has come to follows from its plan: its state by its edges, its rows by its state.

Of a run that lives, every scope that is open; of one that is over, its top level by the letters with which it ended,
and its bodies, whose letters are forgotten, by their rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from executions.core import NodeStatus, RunStatus
from executions.core.consistency import Flaw, inferred, letter_flaws, row_flaws
from executions.core.scopes import TOP, around, container_of, path
from executions.core.state import CHILD, RESTING, WAITING
from executions.invariants.findings import Finding, Invariant
from executions.invariants.seen import SeenRun, read

_AT_ONCE: Final = 100  # runs in memory


def wrong_states(runs: Sequence[UUID]) -> Iterator[Finding]:
    """What is wrong with the states of *runs* and with their rows, as of one moment: the caller holds a snapshot."""
    for first in range(0, len(runs), _AT_ONCE):
        for seen in read(runs[first : first + _AT_ONCE]):
            if isinstance(seen, Finding):
                yield seen
                continue
            for scope, flaw in (*_open_scopes(seen), *_rows(seen)):
                yield _finding(seen, Invariant.ONCE, scope, flaw)
            if not seen.is_over:
                yield from _ways_forward(seen)


def _open_scopes(run: SeenRun) -> Iterator[tuple[str, Flaw]]:
    """What is wrong with the letters of open scopes, and of a run that is over with those of its top level."""
    is_held = run.state.held or run.state.was_released
    for at, scope in run.state.scopes.items():
        body = run.graph.body(at)
        for flaw in letter_flaws(body, scope, is_held=is_held):
            yield at, flaw
        for flaw in row_flaws(body, scope, run.rows.get(at, {}), is_over=run.is_over):
            yield at, flaw


def _rows(run: SeenRun) -> Iterator[tuple[str, Flaw]]:
    """What is wrong with rows whatever the state says, and with scopes that are told by their rows alone."""
    for at, rows in run.rows.items():
        body = run.graph.bodies.get(container_of(at))
        for node_id, row in rows.items():
            if body is None or node_id not in body.position:
                yield at, Flaw(node_id=node_id, told="its workflow has no such node there")
            elif row.folded and not row.status.is_final and row.status is not NodeStatus.WAITING:
                yield at, Flaw(node_id=node_id, told=f"its row is {row.status}, and folded as if it had ended")
            elif at not in run.state.scopes and not (run.is_over or row.folded):
                yield at, Flaw(node_id=node_id, told=f"its row is {row.status}, and its scope is over")
        if run.is_over and body is not None and at != TOP:
            scope = inferred(body, rows, halted=_was_stopped(run, at))
            for flaw in letter_flaws(body, scope) if scope is not None else ():
                yield at, flaw


def _was_stopped(run: SeenRun, at: str) -> bool:
    """Whether something in this scope may not have been started: it failed, or what it is a part of did not go on."""
    if run.status is not RunStatus.COMPLETED:
        return True
    if any(row.status is NodeStatus.FAILED and not row.handled for row in run.rows[at].values()):
        return True
    while at != TOP:
        at, container, _ = around(at)
        row = run.rows.get(at, {}).get(container)
        if row is None or row.status is not NodeStatus.COMPLETED or row.handled:
            return True
    return False


def _ways_forward(run: SeenRun) -> Iterator[Finding]:
    """Nodes that wait for what is not there, and a pause that nobody can end."""
    waits = False
    for at, scope in run.state.scopes.items():
        nodes = run.graph.body(at).nodes
        for place, mark in enumerate(scope.marks):
            visit = (at, nodes[place].id)
            if mark == WAITING and visit not in run.waitpoints:
                told = "it waits, and nothing is there that could be answered"
                yield _finding(run, Invariant.WAY_FORWARD, at, Flaw(node_id=visit[1], told=told))
            elif mark in (CHILD, RESTING) and visit not in run.children:
                told = "it waits for the end of a run that is not there"
                yield _finding(run, Invariant.WAY_FORWARD, at, Flaw(node_id=visit[1], told=told))
            waits = waits or mark in (WAITING, CHILD, RESTING)
    if run.status is RunStatus.PAUSED and not (waits or run.state.held):
        wrong = "It is paused, and neither waits for anything nor was that asked for."
        yield Finding(code=Invariant.WAY_FORWARD, execution_id=run.id, wrong=wrong)


def _finding(run: SeenRun, code: Invariant, scope: str, flaw: Flaw) -> Finding:
    wrong = f"{flaw.told[0].upper()}{flaw.told[1:]}."
    return Finding(code=code, execution_id=run.id, where=path(scope, flaw.node_id), wrong=wrong)
