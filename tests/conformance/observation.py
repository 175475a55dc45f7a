"""What is made of the node runs of a run, in the words of the suite. For the real stack and the simulation alike."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

# Their node runs count, but they are no work of their own: the run's cap and `max_active` are about the others.
AROUND_OTHERS: Final = frozenset({"loop", "parallel", "subWorkflow"})
NOT_STARTED: Final = frozenset({"pending", "ready", "skipped"})


@dataclass(frozen=True, kw_only=True)
class Row:
    """One node run."""

    node_id: str
    scope: str
    type: str
    status: str
    handled: bool = False
    kept: bool = False  # it ran in the run that this one takes over from
    attempts: int = 0
    output: Any = None
    error: Any = None
    start: float | None = None  # milliseconds
    end: float | None = None
    call: str = ""  # `<path of a sub-workflow node>/` before the path of a node in the run it started

    @property
    def path(self) -> str:
        return f"{self.call}{self.scope}/{self.node_id}" if self.scope else f"{self.call}{self.node_id}"


def observed(rows: Iterable[Row]) -> dict[str, Any]:
    """The keys `nodes`, `ran` and `max_active` of an observation."""
    rows = list(rows)
    fields = ("status", "handled", "attempts", "output", "error", "start", "end")
    return {
        "nodes": {row.path: {name: getattr(row, name) for name in fields} for row in rows},
        "ran": dict(
            Counter(row.node_id for row in rows if row.attempts and not row.kept and row.status not in NOT_STARTED)
        ),
        "max_active": _max_active(rows),
    }


def _max_active(rows: Iterable[Row]) -> dict[str, int]:
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        if row.start is not None and row.end is not None and row.type not in AROUND_OTHERS:
            spans[row.node_id].append((row.start, row.end))
            spans["*"].append((row.start, row.end))
    return {name: _most_at_once(found) for name, found in spans.items()}


def _most_at_once(spans: list[tuple[float, float]]) -> int:
    turns = sorted([(begun, 1) for begun, _ in spans] + [(ended, -1) for _, ended in spans])  # an end before a start
    most = now = 0
    for _, change in turns:
        now += change
        most = max(most, now)
    return most
