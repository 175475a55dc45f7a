"""A run, watched from its beginning to its end: what was told of it, and what was shown of it beside that."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from executions import driver
from executions.core import RunStatus
from executions.models import Execution, NodeRun
from realtime import snapshot
from tests.executions.runs import reread
from tests.fakes import Messages
from tests.told import read_back


class Watched:
    """A run, and what was told and shown of it at each moment at which all that was recorded had been folded."""

    def __init__(self, run: Execution) -> None:
        self.run = run
        self.moments: list[tuple[list[dict[str, Any]], dict[str, Any]]] = []
        self.first = snapshot.take(run.pk).frame({})
        self.snapshots = [self.first]  # also of other moments

    def look(self) -> None:
        self.snapshots.append(snapshot.take(self.run.pk).frame({}))
        if NodeRun.objects.filter(execution=self.run, folded=False, announced=False).exists():
            return  # rows are ahead of what was told
        frames = read_back(self.run.pk, limit=10_000)
        if not self.moments or len(frames) > len(self.moments[-1][0]):
            self.moments.append((frames, self.snapshots[-1]))


def _look_again(run: Execution, chance: Random) -> None:
    """An attempt is not due yet."""
    del chance
    driver.drive(run.pk)


def watch(
    run: Execution, messages: Messages, seed: int = 0, *, move: Callable[[Execution, Random], None] = _look_again
) -> Watched:
    """Deliver its messages in any order until it is over. When there is none, *move* has something happen."""
    watched, chance = Watched(run), Random(seed)
    while not RunStatus(reread(run).status).is_final:
        if messages.waiting:
            messages.deliver(messages.waiting.pop(chance.randrange(len(messages.waiting))))
        else:
            move(run, chance)
        watched.look()
    return watched
