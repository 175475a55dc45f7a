"""What simulated runs share: a clock that jumps, what is due and when, chance, and what their nodes have outside."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from math import inf
from random import Random
from typing import Final

from handlers import Lent, NodeTimeout
from tests import nodes

BEGUN: Final = datetime(2026, 1, 1, tzinfo=UTC)
MOST_MOMENTS: Final = 1_000_000  # more is a run that does not end
LONGEST: Final = 1000.0  # milliseconds that anything takes in a random order


class World:
    """Without an *order* things take the time that they say; with one, they happen in an order that it draws."""

    def __init__(self, order: Random | None) -> None:
        self.now = 0.0  # milliseconds
        self.taken = 0.0  # milliseconds that the node at hand has slept
        self.effects: dict[str, int] = defaultdict(int)  # node id → times, over all runs
        self._tries: dict[tuple[str, str], int] = defaultdict(int)
        self._order = order
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    @property
    def is_timed(self) -> bool:
        return self._order is None

    def moment(self) -> datetime:
        return BEGUN + timedelta(milliseconds=self.now)

    def later(self, act: Callable[[], None], *, ms: float = 0.0, is_pure: bool = False) -> None:
        """*act* after so long; in a random order at any moment, or at once when it is pure, as half of them are."""
        if self._order is not None:
            ms = 0.0 if is_pure and self.perhaps(0.5) else self._order.random() * LONGEST
        heapq.heappush(self._agenda, (self.now + ms, next(self._numbers), act))

    def perhaps(self, chance: float) -> bool:
        return self._order is not None and self._order.random() < chance

    def play(self, until: Callable[[], bool] = lambda: False) -> None:
        """Until that is so, or nothing is due any more. Raises AssertionError when there is no end to it."""
        for _ in range(MOST_MOMENTS):
            if until() or not self._agenda:
                return
            self.now, _, act = heapq.heappop(self._agenda)
            act()
        raise AssertionError("there is no end to it")

    def next_in(self) -> float:
        """Milliseconds until something is due."""
        return self._agenda[0][0] - self.now if self._agenda else inf

    def pass_time(self, ms: float) -> None:
        """So long, with all that is due meanwhile."""
        ends = self.now + ms
        self.play(until=lambda: self.now + self.next_in() > ends)
        self.now = ends

    # ---- what the nodes have outside: `tests.nodes.Outside`
    def sleep(self, ms: float, lent: Lent) -> None:
        limit = round(lent.remaining() * 1000)  # the attempt began a moment ago, by a clock that is not ours
        self.taken += min(ms, limit)
        if ms > limit:
            raise NodeTimeout

    def count(self, what: str, execution_id: str, node_id: str) -> int:
        if what == nodes.STARTS:
            self.effects[node_id] += 1
            return self.effects[node_id]
        self._tries[execution_id, node_id] += 1
        return self._tries[execution_id, node_id]
