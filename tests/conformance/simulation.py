"""A case in one process: by its clock, with its actions; or in an order that is drawn, with its answers at any moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from random import Random
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from executions.core import NodeStatus, RunStatus
from tests import nodes
from tests.conformance import timeline
from tests.conformance.observation import observed
from tests.conformance.planned import Planned
from tests.conformance.simulated import Simulated
from tests.conformance.timeline import Action, Log
from tests.conformance.world import World

# Half of the longest wait before each retry, as the suite has it.
_JITTER: Final = SimpleNamespace(random=lambda: 0.5)
_LEFT_ALONE_MS: Final = 60_000.0  # what is due later is not waited for


def simulate(case: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What is to be seen of *case* when it is over, in the words of the suite."""
    return Simulation(case, **more).observe()


class Simulation(Planned):
    """A case that is run in this process."""

    def __init__(self, case: Mapping[str, Any], **more: Any) -> None:
        super().__init__(case, **more)
        self._actions = case.get("actions") or []

    def observe(self, *, order: Random | None = None, with_pause: bool = False) -> dict[str, Any]:
        """Without an *order*, with what was seen at its actions."""
        if self.is_rejected:
            return {"status": "rejected", "issues": self.issues}
        if order is not None:
            return self.run(order, with_pause=with_pause).observation() | {"issues": self.issues, "log": []}
        return _Stage(self).play(self._actions) | {"issues": self.issues}

    def run(self, order: Random | None = None, *, with_pause: bool = False) -> Simulated:
        """A run that is over, all of whose waitpoints were answered as the case has it.

        *with_pause*: somebody has it paused at some moment, and lets it go on at another. Raises AssertionError when it
        does not end.
        """
        world = World(order)
        answers = {action["node"]: action["input"] for action in self._actions if action.get("do") == "resume"}
        run = Simulated(self, world, self.prepared(None), inputs=self.inputs, answers=answers)
        with nodes.played_by(world), patch("executions.report.random", _JITTER):
            run.begin(entry=self.entry, until=self.until)
            if with_pause:
                world.later(run.pause)
                world.later(run.unpause)
            world.play()
            run.unpause()  # where that came first
            world.play()
        run.check_is_over()
        return run


class _Stage:
    """A run on a clock that jumps from one thing to the next."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation, self._world = simulation, World(None)
        self._run = self._new_run()
        self._replies: dict[str, tuple[Action, str]] = {}  # by Idempotency-Key
        self._cancelled_at = 0.0

    def play(self, actions: Sequence[Action]) -> dict[str, Any]:
        """What is to be seen of the run after all of *actions*, and before each."""
        with nodes.played_by(self._world), patch("executions.report.random", _JITTER):
            self._run.begin(entry=self._simulation.entry, until=self._simulation.until)
            for action in actions:
                if isinstance(when := action.get("when"), dict) and "at_ms" in when:
                    self._world.later(lambda: None, ms=when["at_ms"])  # otherwise the clock might jump over it
            log = self._play(timeline.play(actions, self))
            if self._run.close is not None:
                self._world.play()
        if self._run.status is not RunStatus.PAUSED:
            self._run.check_is_over()
        ended_at = self._run.ended_at or 0.0
        return self._run.observation() | {"log": log, "cancel_ms": ended_at - self._cancelled_at}

    def _play(self, steps: Generator[Callable[[], bool], None, Log]) -> Log:
        while True:
            try:
                self._play_until(next(steps))
            except StopIteration as over:
                return over.value

    def _play_until(self, condition: Callable[[], bool]) -> None:
        def is_time() -> bool:
            return condition() or self.is_left_alone()

        self._world.play(until=is_time)
        if not is_time():
            raise AssertionError(f"the run is stuck: {self._run.state}")

    def _new_run(self) -> Simulated:
        return Simulated(self._simulation, self._world, self._simulation.prepared(None), inputs=self._simulation.inputs)

    # ---- timeline.Stage
    def status(self) -> str:
        told = self._run.status
        return "running" if told is RunStatus.PAUSED and self._world.next_in() <= 0 else told.value

    def open(self) -> Collection[str]:
        return list(self._run.open())

    def ran(self) -> dict[str, int]:
        return observed(self._run.rows())["ran"]

    def is_running(self, path: str) -> bool:
        return any(row.path == path and row.status == NodeStatus.RUNNING for row in self._run.rows())

    def elapsed_ms(self) -> float:
        return self._world.now

    def is_left_alone(self) -> bool:
        return self._run.close is not None or (self.status() == "paused" and self._world.next_in() > _LEFT_ALONE_MS)

    def do(self, action: Action) -> dict[str, Any]:
        match action["do"]:
            case "resume":
                return {"reply": self._answer(action)}
            case "together":
                return {"replies": sorted(self._answer(answer) for answer in action["answers"])}
            case "cancel":
                self._cancelled_at = self._world.now
                self._run.cancel()
                return {"reply": "accepted" if self._run.status is RunStatus.CANCELLED else "conflict"}
            case "cancel_other_run":
                other = self._new_run()
                other.begin()
                other.cancel()
            case "pause":
                self._run.pause()
            case "unpause":
                self._run.unpause()
            case "advance":
                self._world.pass_time(action["ms"])
            case "edit":
                pass  # a run has its plan
            case other:
                raise ValueError(f"this is not simulated: {other}")
        return {}

    def _answer(self, action: Action) -> str:
        """A key that is used again gets the reply that it got, and with another answer a conflict."""
        asked = {"node": action["node"], "input": action.get("input")}
        key = action.get("key")
        if key in self._replies:
            before, reply = self._replies[key]
            return reply if before == asked else "conflict"
        reply = self._run.answer(action["node"], action.get("input"))
        if key is not None and reply == "accepted":
            self._replies[key] = asked, reply
        return reply
