"""Each named fault once: a worker that is armed with it, another that is not, and a handful of runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from executions.faults import Fault, Kind
from tests.chaos.clients import Asked, start
from tests.chaos.recovery import Accident
from tests.chaos.stage import Stage
from tests.chaos.workloads import Family

WORKERS: Final = 3
LEFT: Final = 1  # of them, to take over
RUNS: Final = 7  # at once
MOST: Final = 5  # times as many, until the armed worker comes by its fault
SETTLED_WITHIN: Final = 30.0  # seconds
# Only runs that pause come by these.
OF_PAUSES: Final = frozenset({Fault.IN_RESUME, Fault.IN_SNAPSHOT})
OF_CLIENTS: Final = frozenset({Fault.IN_RESUME})  # no worker comes by these, but who answers
_LOOK: Final = 0.2  # seconds


def chapter(stage: Stage) -> None:
    rng = stage.random("faults")
    stage.crew.start(WORKERS)
    stage.crew.start_clerk()
    found: dict[str, list[timedelta]] = {}
    for fault in Fault:
        reaching = [family for family in stage.families if fault in family.reaches or fault not in OF_PAUSES]
        if not reaching:
            stage.report.say(f"Not visited, as no family comes by it: {fault}.")
            continue
        for kind in Kind:
            found |= _visit(stage, fault, kind, rng, reaching)
    stage.report.recoveries("Recovery from each fault, from its moment", found)
    stage.end("the faults")


def _visit(
    stage: Stage, fault: Fault, kind: Kind, rng: Random, reaching: Sequence[Family]
) -> dict[str, list[timedelta]]:
    name, crew = f"{fault} {kind}", stage.crew
    workers = crew.wait_until_healthy(LEFT + 1)
    armed = crew.clerk if fault in OF_CLIENTS else rng.choice(workers)
    before = len(crew.struck(armed))
    crew.arm(armed, fault, kind, rng.randint(1, 3))
    asked: list[Asked] = []
    struck: list[datetime] = []
    for _ in range(MOST):
        now = [start(ask) for ask in stage.asks(RUNS, rng, among=reaching)]
        asked += now
        struck = _wait(stage, now, armed, before)
        if struck:
            break
    if not struck:
        stage.report.wrong(name, [f"nobody came by it in {len(asked)} runs"])
    return {name: [], **stage.judge(name, asked, [Accident(name, at, at) for at in struck])}


def _wait(stage: Stage, asked: Sequence[Asked], armed: int, before: int) -> list[datetime]:
    """Until all are over; who was killed has a successor at once. Returns when faults have struck since *before*."""
    crew, ends, is_replaced = stage.crew, time.monotonic() + SETTLED_WITHIN, False
    while True:
        left = stage.wait([one.execution_id for one in asked], seconds=_LOOK)
        if not is_replaced and not crew.is_alive(armed):
            crew.replace(armed)
            is_replaced = True
        if not left or time.monotonic() > ends:
            return crew.struck(armed)[before:]
