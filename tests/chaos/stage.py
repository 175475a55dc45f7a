"""What all chapters share: the site, its workers, and how a chapter ends."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

from django.conf import settings

from executions import outage
from executions.invariants import check_runs
from executions.models import Event, Execution, ExecutionState, NodeRun
from tests.chaos import ledger
from tests.chaos.clients import Ask, Asked, publish
from tests.chaos.crew import Crew
from tests.chaos.recovery import Accident, Standstill, answered, family, moments, run_again, standstills
from tests.chaos.report import Report
from tests.chaos.site import Site
from tests.chaos.verdicts import unfinished, wrong_with
from tests.chaos.workloads import Family, families

GRACE: Final = timedelta(seconds=5)  # that a recovery may take beyond the lease
_POLL: Final = 0.02  # seconds


def bound() -> timedelta:
    return settings.FLOWMAESTRO_LEASE + GRACE


@dataclass(kw_only=True)
class Stage:
    """Where a chapter takes place."""

    site: Site
    crew: Crew
    report: Report
    seed: str
    ledger: Path
    families: list[Family] = field(default_factory=families)

    def random(self, chapter: str) -> Random:
        return Random(f"{self.seed} {chapter}")

    def asks(self, number: int, rng: Random, *, among: Sequence[Family] = ()) -> list[Ask]:
        """So many workloads, of each family in turn."""
        among = among or self.families
        drawn = [among[place % len(among)] for place in range(number)]
        return [publish(one, one.draw(rng)) for one in drawn]

    def wait(self, runs: Sequence[UUID], *, seconds: float) -> list[UUID]:
        """Until all of them are over. Returns those that are not."""
        ends = time.monotonic() + seconds
        while left := outage.retried(lambda: unfinished(list(runs))):
            if time.monotonic() > ends:
                return left
            time.sleep(_POLL)
        return []

    def judge(
        self, chapter: str, asked: Sequence[Asked], accidents: Sequence[Accident], *, is_calm: bool = False
    ) -> dict[str, list[timedelta]]:
        """Look at every run that was started. Returns how long each stood still, by the accident that was the reason."""
        attempts, recoveries = ledger.attempts(self.ledger), defaultdict[str, list[timedelta]](list)
        for one in asked:
            told = f"run {one.execution_id} ({one.ask.family.name}) of {chapter}, seed {self.seed}"
            wrong = wrong_with(one, attempts, is_calm=is_calm)
            for each in self._standstills(one, accidents):
                recoveries["no accident" if each.accident is None else each.accident.kind].append(each.recovery)
                if each.recovery > bound():
                    wrong.append(f"it stood still from {each.begun} to {each.ended}, after {each.accident}")
            if wrong:
                self.report.wrong(told, [*wrong, f"its rows are in {self._dump(one.execution_id)}"])
        runs = {each for one in asked for each in family(one.execution_id)}
        examined = check_runs(limit=len(runs), execution_ids=runs, grace=timedelta())
        told = [f"{each.code}: run {each.execution_id}, {each.where}: {each.wrong}" for each in examined.findings]
        self.report.wrong(f"invariants after {chapter}, seed {self.seed}", told)
        return recoveries

    def end(self, chapter: str) -> None:
        """Nobody works any more."""
        self.report.wrong(f"workers of {chapter}, seed {self.seed}", self.crew.complaints())
        self.crew.end()

    def _standstills(self, asked: Asked, accidents: Sequence[Accident]) -> list[Standstill]:
        run = asked.execution_id
        found = standstills(run, moments(run), answered(run), accidents, bound=bound())
        return found + run_again(run, accidents)

    def _dump(self, execution_id: UUID) -> Path:
        """The file in which the rows of a run are, for whoever wants to know why."""
        place = self.site.home / "wrong" / f"{execution_id}.json"
        place.parent.mkdir(exist_ok=True)
        rows = {
            "execution": list(Execution.objects.filter(pk=execution_id).values()),
            "state": list(ExecutionState.objects.filter(execution=execution_id).values()),
            "node_runs": list(NodeRun.objects.filter(execution=execution_id).order_by("ready_at").values()),
            "events": list(Event.objects.filter(execution=execution_id).order_by("seq").values()),
            "children": list(Execution.objects.filter(parent=execution_id).values()),
        }
        place.write_text(json.dumps(rows, default=str, indent=1), encoding="utf-8")
        return place
