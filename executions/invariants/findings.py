"""What is found wrong with a run, and what would mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class Invariant(StrEnum):
    """What holds of every run; as a code, of one for which it does not."""

    LEASE = "node_without_lease"  # a node that runs has a worker that lives
    WAY_FORWARD = "no_way_forward"  # a run that is not over has something that leads on
    ALL_ENDED = "open_node"  # a run that is over has no node that is not
    FAMILY = "open_child"  # nor a run that it started
    ONCE = "wrong_node"  # a node runs once, when its edges say so, and its row and the run's state agree on it
    NUMBERS = "event_gap"  # events are numbered from 1, without a gap, up to the number that the run knows
    STATUS = "wrong_status"  # the run and its state agree on how it stands
    READABLE = "unreadable"  # this release can read its plan and its state


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    code: Invariant
    execution_id: UUID
    where: str | None = None  # a node, as people name it: `loop[1]/a`; None: the run as a whole
    wrong: str  # a sentence

    @property
    def mend(self) -> str:
        return MENDS[self.code]


MENDS: Final[Mapping[Invariant, str]] = {
    Invariant.LEASE: (
        "The sweep of any worker gives it to another: see that one is up, and what its log says of the sweep."
    ),
    Invariant.WAY_FORWARD: "Nothing will move it any more: cancel it, and start it anew.",
    Invariant.ALL_ENDED: "Nobody waits for the node: set its row to folded, and to cancelled unless it has ended.",
    Invariant.FAMILY: "The sweep of any worker cancels it: see that one is up; or cancel it yourself.",
    Invariant.ONCE: (
        "What it returned may be wrong: cancel it unless it is over, and start it anew. Rows that were changed by hand"
        " are to be changed back."
    ),
    Invariant.NUMBERS: (
        "Events cannot be made up: restore those that are missing from a backup, or let clients read the run anew."
        " Where only the run's own number is wrong (executions_executionstate.seq), set it to that of the last event."
    ),
    Invariant.STATUS: (
        "One of them was changed by hand: give executions_execution the status that the state has, and an end."
    ),
    Invariant.READABLE: "Upgrade this process to the release that made it; if there is none, cancel the run.",
}
