"""Every Celery message delivered twice: nothing runs twice for it."""

from __future__ import annotations

from typing import Final

from tests.chaos import ledger, twice
from tests.chaos.clients import start
from tests.chaos.stage import Stage

WORKERS: Final = 2
SETTLED_WITHIN: Final = 60.0  # seconds


def chapter(stage: Stage, *, runs: int) -> None:
    rng = stage.random("twice")
    stage.crew.start(WORKERS, **{twice.WANTED: "1"})
    stage.crew.start_clerk()
    stage.crew.wait_until_healthy(WORKERS)
    before = ledger.doubled(stage.ledger)
    twice.begin()
    try:
        asked = [start(ask) for ask in stage.asks(runs, rng)]
    finally:
        twice.end()
    stage.wait([one.execution_id for one in asked], seconds=SETTLED_WITHIN)
    stage.report.say(f"Twice: {runs} runs, {ledger.doubled(stage.ledger) - before} messages sent again.")
    found = stage.judge("messages sent twice", asked, [], is_calm=True)
    stage.report.recoveries("Standstills with each message twice", found)
    stage.end("messages sent twice")
