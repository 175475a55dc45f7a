"""The engine as the suite's judge wants it: many trials on real workers at once, those that measure time in quiet.

Those that kill and restart processes come last, and share what they do: each begins, and when all of them are where it
is to happen, it does.
"""

from __future__ import annotations

import copy
import json
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from tests.conformance import timeline
from tests.conformance.machines import Machines
from tests.conformance.real_stage import RealStage
from tests.conformance.trial import Shown, Trial

AT_ONCE: Final = 20  # most of a run is waiting; more than the workers have threads would measure the queue
WITHIN: Final = 100.0  # seconds for a run on a slow machine; then it is observed as it is
QUIET: Final = frozenset({"timing", "max_active", "overlap"})  # expectations that other runs could spoil
LOOK: Final = 0.05  # seconds between two looks at all of those that are out; the workers need the processor more
QUIET_LOOK: Final = 0.01  # where there is one
ROUGH: Final = ("restart_postgres", "kill_worker", "flush_redis", "restart")  # workers that start need a database

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

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        self._seen: dict[str, Observation] = {}
        self._slowness: dict[str, float] = {}
        self.shown: list[Shown] = []  # every run that was observed, as it then was

    def run(self, cases: Sequence[dict[str, Any]]) -> None:
        """Every timing of *cases*."""
        rough = [case for case in cases if _is_rough(case)]
        quiet = [case for case in cases if case not in rough and (QUIET & case["expect"].keys() or _is_hurried(case))]
        self._run([trial for case in cases if case not in rough + quiet for trial in _trials(case)], at_once=AT_ONCE)
        before = self._calibrate() if quiet or rough else 1.0
        for case in quiet:
            self._run(_trials(_slowed(case, before) if _is_hurried(case) else case), at_once=1)
            after = self._calibrate()
            self._slowness[case["id"]], before = max(before, after), after
        if rough:
            self._run_together([trial for case in sorted(rough, key=_roughness) for trial in _trials(case)])
            slowness = max(before, self._calibrate()) * self._machines.slowness
            self._slowness |= {case["id"]: slowness for case in rough}

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
        seen = self._seen[_key(Trial(case, timing))]
        if isinstance(seen, Exception):
            raise seen
        return seen

    def _calibrate(self) -> float:
        """How much longer than on a quiet machine everything takes just now."""
        trial = Trial(CALIBRATION, None)
        self._run([trial], at_once=1)
        return max(1.0, float(self.observe(CALIBRATION, None)["elapsed_ms"]) / CALIBRATION_MS)

    def _run(self, trials: Sequence[Trial], *, at_once: int) -> None:
        waiting, out = deque(trials), list[_Playing]()
        while waiting or out:
            while waiting and len(out) < at_once:
                out.append(_Playing(waiting.popleft(), self._machines))
            out = self._play(out)

    def _run_together(self, trials: Sequence[Trial]) -> None:
        """None of them does anything before all have come to the time of their first action."""
        out = [_Playing(trial, self._machines) for trial in trials]
        late = out
        while late := [playing for playing in late if not playing.is_time()]:
            time.sleep(LOOK)
        with self._machines.at_one_moment():
            for playing in out:
                playing.go_on()
        while out:
            out = self._play(out)

    def _play(self, out: Sequence[_Playing]) -> list[_Playing]:
        """Let each go on whose time has come. Returns those that are not over."""
        moved = [playing for playing in out if playing.is_time()]
        for playing in moved:
            playing.go_on()
        if not moved:
            time.sleep(LOOK if len(out) > 1 else QUIET_LOOK)
        self._seen |= {_key(playing.trial): playing.seen for playing in out if playing.seen is not None}
        self.shown += [shown for playing in out for shown in playing.shown]
        return [playing for playing in out if playing.seen is None]


class _Playing:
    """A trial between two of its actions. What goes wrong with it, the judge tells as a disagreement of its case."""

    def __init__(self, trial: Trial, machines: Machines) -> None:
        self.trial = trial
        self.seen: Observation | None = None  # it is over
        self.shown: list[Shown] = []
        self._stage, self._until = RealStage(trial, machines), time.monotonic() + WITHIN
        self._steps = timeline.play(trial.case.get("actions") or [], self._stage)
        with self._guarded():
            trial.begin()
            if trial.execution_id is None:
                self.seen = trial.observation([], [])
            else:
                self._has_come = next(self._steps)

    def is_time(self) -> bool:
        """Whether what it waits for is there, or will not come any more."""
        if self.seen is None:
            with self._guarded():
                return self._has_come() or self._stage.is_left_alone() or time.monotonic() > self._until
        return True

    def go_on(self) -> None:
        if self.seen is None:
            with self._guarded():
                try:
                    self._has_come = next(self._steps)
                except StopIteration as over:
                    self.seen = self.trial.observation(over.value, self._stage.open())
                    self.shown = self.trial.shown()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- see above
            self.seen = error


def _is_rough(case: dict[str, Any]) -> bool:
    """Whether it does something to the processes, of which others may see something, too."""
    return "processes" in (case.get("needs") or []) and "cancel_within_ms" not in case["expect"].get("timing", {})


def _is_hurried(case: dict[str, Any]) -> bool:
    """Whether its actions have to come at a certain moment, or before one."""
    return any(isinstance(action.get("when"), dict) for action in case.get("actions") or []) or any(
        "expiresInMs" in config for config in _configs(case)
    )


def _slowed(case: dict[str, Any], slowness: float) -> dict[str, Any]:
    """*case* as a slow machine can keep up with it: all that takes time takes so much more of it."""
    slowed = copy.deepcopy(case)
    actions = slowed.get("actions") or []
    for told in (*_configs(slowed), *actions, *(action.get("when") for action in actions)):
        for name in {"ms", "at_ms", "expiresInMs"}.intersection(told if isinstance(told, dict) else ()):
            told[name] = round(told[name] * slowness)
    return slowed


def _configs(case: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for definition in (case["definition"], *(case.get("workflows") or {}).values()):
        nodes = definition["nodes"]
        yield from (node.get("config") or {} for node in (nodes.values() if isinstance(nodes, dict) else nodes))


def _roughness(case: dict[str, Any]) -> int:
    return ROUGH.index(case["actions"][0]["do"])


def _trials(case: dict[str, Any]) -> list[Trial]:
    return [Trial(case, timing) for timing in case.get("timings") or [None]]


def _key(trial: Trial) -> str:
    return f"{trial.case['id']} {json.dumps(trial.timing, sort_keys=True)}"
