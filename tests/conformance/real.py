"""The engine as the suite's judge wants it: many trials on real workers at once, those that measure time in quiet."""

from __future__ import annotations

import copy
import json
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from executions.core import RunStatus
from executions.models import Execution
from tests.conformance.trial import Trial

AT_ONCE: Final = 20  # most of a run is waiting; more than the workers have threads would measure the queue
WITHIN: Final = 40.0  # seconds for a run, which is then observed as it is
QUIET: Final = frozenset({"timing", "max_active", "overlap"})  # expectations that other runs could spoil
RESTING: Final = frozenset({*(status for status in RunStatus if status.is_final), "paused"})

# What the machine does today in the time of a run that takes 200 ms of sleep, and four turns, on a quiet one.
CALIBRATION: Final[dict[str, Any]] = {
    "id": "calibration",
    "definition": {
        "nodes": {
            "start": {"type": "trigger", "name": "start", "config": {}},
            "a": {"type": "test.sleep", "name": "a", "config": {"ms": 100}},
            "b": {"type": "test.sleep", "name": "b", "config": {"ms": 100}},
        },
        "edges": [{"id": "e1", "source": "start", "target": "a"}, {"id": "e2", "source": "a", "target": "b"}],
    },
}
CALIBRATION_MS: Final = 250

Observation = dict[str, Any] | Exception


class RealEngine:
    """Observations of trials that were run beforehand."""

    def __init__(self) -> None:
        self._seen: dict[str, Observation] = {}
        self._slowness: dict[str, float] = {}

    def run(self, cases: Sequence[dict[str, Any]]) -> None:
        """Every timing of *cases*."""
        quiet = [case for case in cases if QUIET & case["expect"].keys()]
        loud = [case for case in cases if not QUIET & case["expect"].keys()]
        self._run([trial for case in loud for trial in _trials(case)], at_once=AT_ONCE)
        for case in quiet:
            before = self._calibrate()
            self._run(_trials(case), at_once=1)
            self._slowness[case["id"]] = max(1.0, before, self._calibrate())

    def stretched(self, case: dict[str, Any]) -> dict[str, Any]:
        """*case* with its upper bounds multiplied by how slow the machine was beside it."""
        bounds = case["expect"].get("timing")
        if not bounds:
            return case
        stretched = copy.deepcopy(case)
        for name in ("critical_path_ms", "cancel_within_ms"):
            if name in bounds:
                stretched["expect"]["timing"][name] = bounds[name] * self._slowness[case["id"]]
        return stretched

    def observe(self, case: dict[str, Any], timing: dict[str, int] | None) -> dict[str, Any]:
        seen = self._seen[_key(case, timing)]
        if isinstance(seen, Exception):
            raise seen
        return seen

    def _calibrate(self) -> float:
        trial = Trial(CALIBRATION, None)
        self._run([trial], at_once=1)
        return float(self.observe(CALIBRATION, None)["elapsed_ms"]) / CALIBRATION_MS

    def _run(self, trials: Sequence[Trial], *, at_once: int) -> None:
        waiting, out = deque(trials), dict[str, tuple[Trial, float]]()
        while waiting or out:
            while waiting and len(out) < at_once:
                trial = waiting.popleft()
                self._begin(trial)
                if trial.execution_id is not None:
                    out[trial.execution_id] = (trial, time.monotonic() + WITHIN)
            over = set(map(str, Execution.objects.filter(pk__in=out, status__in=RESTING).values_list("pk", flat=True)))
            over |= {execution_id for execution_id, (_, until) in out.items() if time.monotonic() > until}
            for execution_id in over:
                self._look(out.pop(execution_id)[0])
            if not over:
                time.sleep(0.01)

    def _begin(self, trial: Trial) -> None:
        try:
            trial.begin()
        except Exception as error:  # noqa: BLE001 -- the judge tells it as a disagreement of this case
            self._seen[_key(trial.case, trial.timing)] = error
        else:
            if trial.execution_id is None:
                self._look(trial)

    def _look(self, trial: Trial) -> None:
        seen: Observation
        try:
            seen = trial.observation()
        except Exception as error:  # noqa: BLE001 -- likewise
            seen = error
        self._seen[_key(trial.case, trial.timing)] = seen


def _trials(case: dict[str, Any]) -> list[Trial]:
    return [Trial(case, timing) for timing in case.get("timings") or [None]]


def _key(case: dict[str, Any], timing: dict[str, int] | None) -> str:
    return f"{case['id']} {json.dumps(timing, sort_keys=True)}"
