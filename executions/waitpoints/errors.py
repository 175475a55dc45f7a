"""Why an answer is not taken. Whoever answers can do something else: each is told as the API's answer.

AnswerRefused
├── NoSuchWaitpoint    nothing of this name has ever been waited for
├── WaitpointNeeded    several are waited for, or none: the answer has to name one
├── NotOpen            nobody waits for an answer any more
│   ├── Answered
│   ├── Expired
│   ├── Withdrawn      its branch was stopped
│   └── RunEnded
├── WrongKind          a timer is not answered by people, nor a token through the door of a review
├── VotedAlready       one voter, one vote
├── Unfit              the answer is not what was asked for; it may be mended
└── BadLink            no link of ours, or not for this
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from executions.core.statuses import WaitpointStatus
from executions.models import Waitpoint
from executions.waitpoints.naming import Named
from handlers import PauseKind

_MOST_TOLD: Final = 100  # waitpoints in one refusal; the list of them has all
_DOORS: Final[Mapping[PauseKind, str]] = {
    PauseKind.HUMAN: "somebody's answer: resume its run",
    PauseKind.TIMER: "a moment, and nobody can answer it",
    PauseKind.TOKEN: "the holder of its token: complete it",
    PauseKind.EVENT: "an event: send it",
}


class AnswerRefused(Exception):
    """A waitpoint does not take this answer."""


class NoSuchWaitpoint(AnswerRefused):
    """Nothing of this name has ever been waited for."""

    def __init__(self, name: object) -> None:
        super().__init__(f"Waitpoint '{name}' not found: the run has not waited for anything of this name.")
        self.name = str(name)


class WaitpointNeeded(AnswerRefused):
    """The answer has to name what it is for."""

    def __init__(self, candidates: Sequence[Named]) -> None:
        paths = ", ".join(named.path for named in candidates[:_MOST_TOLD])
        super().__init__(
            f"Name what you answer, by its path: {paths}." if candidates else "Nothing of this run waits for an answer."
        )
        self.candidates, self.total = candidates[:_MOST_TOLD], len(candidates)


class NotOpen(AnswerRefused):
    """Nobody waits for an answer any more."""

    why = "it is closed"

    def __init__(self, waitpoint: Waitpoint) -> None:
        super().__init__(f"{_subject(waitpoint)} takes no answer: {self.why}.")
        self.waitpoint = waitpoint


class Answered(NotOpen):
    """Somebody was first."""

    why = "it has been answered already"


class Expired(NotOpen):
    """Nobody answered in time."""

    why = "its time was over"


class Withdrawn(NotOpen):
    """The branch that waited was stopped."""

    why = "its branch was stopped: withdrawn"


class RunEnded(NotOpen):
    """The run that waited is over, whether it had its answer or not."""

    def __init__(self, waitpoint: Waitpoint) -> None:
        closed = NOT_OPEN.get(WaitpointStatus(waitpoint.status), Withdrawn)
        self.why = "this run has ended" if closed is Withdrawn else f"{closed.why}, and this run has ended"
        super().__init__(waitpoint)


# Why, where its run goes on.
NOT_OPEN: Final[Mapping[WaitpointStatus, type[NotOpen]]] = {
    WaitpointStatus.COMPLETED: Answered,
    WaitpointStatus.EXPIRED: Expired,
    WaitpointStatus.WITHDRAWN: Withdrawn,
}


class WrongKind(AnswerRefused):
    """It waits for something else."""

    def __init__(self, waitpoint: Waitpoint) -> None:
        told = _DOORS[PauseKind(waitpoint.kind)]
        super().__init__(f"{_subject(waitpoint)} waits for {told}.")
        self.waitpoint = waitpoint


class VotedAlready(AnswerRefused):
    """One voter has one vote."""

    def __init__(self, voter: str) -> None:
        super().__init__(f"{voter} has voted already.")
        self.voter = voter


class Unfit(AnswerRefused):
    """The answer is not what was asked for."""

    def __init__(self, wrong: Sequence[str]) -> None:
        super().__init__(" ".join(wrong))
        self.wrong = list(wrong)  # sentences, each naming its field


class BadLink(AnswerRefused):
    """This link leads nowhere: it is not one of ours, or it is not whole."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def _subject(waitpoint: Waitpoint) -> str:
    return waitpoint.node_id or "The token"
