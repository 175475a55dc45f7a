"""Hundreds of runs while workers are killed and stopped, PostgreSQL is restarted and Redis comes back empty."""

from __future__ import annotations

import time
from collections import Counter
from enum import StrEnum
from random import Random
from typing import Final

from django.conf import settings
from django.utils import timezone

from executions import outage
from tests.chaos.clients import Ask, Clients
from tests.chaos.recovery import Accident
from tests.chaos.stage import Stage

WORKERS: Final = 3
CLIENTS: Final = 3


class Blow(StrEnum):
    """What is done to the site."""

    KILL = "a worker killed"
    STOP = "a worker stopped"
    CLERK = "the clerk killed"
    POSTGRES = "PostgreSQL restarted"
    REDIS = "Redis lost"


TIMES: Final = {Blow.KILL: 11, Blow.STOP: 7, Blow.CLERK: 2, Blow.POSTGRES: 3, Blow.REDIS: 4}
BETWEEN: Final = (0.5, 2.5)  # seconds between two blows
INTO: Final = (0.1, 1.0)  # seconds from the start of some runs to the blow that is meant for them
AT_MOST: Final = 90.0  # seconds; a machine that is slow to start workers gets fewer of them
SETTLED_WITHIN: Final = 60.0  # seconds after the last


def chapter(stage: Stage, *, runs: int) -> None:
    rng = stage.random("storm")
    asks = stage.asks(runs, rng)
    stage.crew.start(WORKERS)
    stage.crew.start_clerk()
    stage.crew.wait_until_healthy(WORKERS)
    begun = time.monotonic()
    with Clients(CLIENTS) as clients:
        storm = Storm(stage, clients, asks, rng)
        storm.rage()
        stage.wait([asked.execution_id for asked in clients.asked], seconds=SETTLED_WITHIN)
    counted = Counter(each.kind for each in storm.accidents)
    told = ", ".join(f"{kind} {times} times" for kind, times in sorted(counted.items()))
    stage.report.say(f"Storm: {len(clients.asked)} runs in {time.monotonic() - begun:.0f} s; {told}.")
    found = stage.judge("the storm", clients.asked, storm.accidents)
    stage.report.recoveries("Recovery in the storm, from the accident", found)
    stage.end("the storm")


class Storm:
    """One blow after the other, in an order that the seed decides, each into runs that have just begun."""

    def __init__(self, stage: Stage, clients: Clients, asks: list[Ask], rng: Random) -> None:
        self._stage, self._clients, self._asks, self._rng = stage, clients, asks, rng
        self._blows = [blow for blow, times in TIMES.items() for _ in range(times)]
        rng.shuffle(self._blows)
        self._share = -(-len(asks) // len(self._blows))  # runs for each
        self._to_go_on: list[tuple[float, int]] = []  # when, and who
        self.accidents: list[Accident] = []

    def rage(self) -> None:
        """Until all is done, or there is no time left."""
        ends, next_at = time.monotonic() + AT_MOST, time.monotonic()
        while self._blows and time.monotonic() < ends:
            self._let_go_on(time.monotonic())
            if time.monotonic() >= next_at and self._blow(self._blows[-1]):
                self._blows.pop()
                next_at = time.monotonic() + self._rng.uniform(*BETWEEN)
            time.sleep(0.05)
        self._let_go_on(float("inf"))
        while not self._clients.are_done:
            time.sleep(0.05)

    def _let_go_on(self, now: float) -> None:
        for when, pid in [*self._to_go_on]:
            if now >= when:
                self._to_go_on.remove((when, pid))
                self._stage.crew.go_on(pid)

    def _blow(self, blow: Blow) -> bool:
        """Returns whether it could be done."""
        victim = self._victim() if blow in {Blow.KILL, Blow.STOP} else None
        if victim is None and blow in {Blow.KILL, Blow.STOP}:
            return False
        some, self._asks = self._asks[: self._share], self._asks[self._share :]
        self._clients.give(some)
        time.sleep(self._rng.uniform(*INTO))
        begun, over = timezone.now(), None
        match blow:
            case Blow.KILL:
                self._stage.crew.kill(victim)
                self._stage.crew.start()
            case Blow.STOP:
                self._stage.crew.stop(victim)
                longer = settings.FLOWMAESTRO_LEASE.total_seconds() + self._rng.uniform(0.5, 3.0)
                self._to_go_on.append((time.monotonic() + longer, victim))
            case Blow.CLERK:
                self._stage.crew.kill(self._stage.crew.clerk)
                self._stage.crew.start_clerk()
            case Blow.POSTGRES:
                self._stage.site.restart_postgres()
                over = timezone.now()
            case Blow.REDIS:
                self._stage.site.lose_redis()
                over = timezone.now()
        self.accidents.append(Accident(blow, begun, over or begun))
        return True

    def _victim(self) -> int | None:
        """A worker that can be spared: somebody is left, and no node loses the last worker that it may."""
        healthy = outage.retried(self._stage.crew.healthy)
        if len(healthy) < 2:
            return None
        victim = self._rng.choice(healthy)
        return victim if outage.retried(lambda: self._stage.crew.can_be_hurt(victim)) else None
