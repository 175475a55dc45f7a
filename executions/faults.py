"""Points at which a test can hurt this process, each by its name: the chaos suite visits every one.

    FLOWMAESTRO_FAULTS=after-claim:crash:1,after-commit:fail:3

is a point, what happens there, and at the how many-th time it is reached. Only the settings of the tests read that
variable; a site's arm none, whatever its environment says.
"""

from __future__ import annotations

import ctypes
import logging
import math
import os
import signal
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

import psycopg

from handlers import Unreachable

logger = logging.getLogger(__name__)


class Fault(StrEnum):
    """A point that is dangerous to die at."""

    BEFORE_CLAIM = "before-claim"  # a worker was sent a node, and has not claimed it
    AFTER_CLAIM = "after-claim"  # it has, and nobody has begun to run it
    AFTER_EFFECT = "after-effect"  # the handler has returned, how the node ended is not written
    AFTER_OUTCOME = "after-outcome"  # how it ended is committed, what follows from it is not decided or not claimed
    AFTER_COMMIT = "after-commit"  # a step is committed, its messages and events are not sent
    CHORD_BODY = "chord-body"  # a drive was asked for, by the end of a wave or otherwise, and has not begun
    IN_RESUME = "in-resume"  # an answer is committed, and no drive is asked for
    IN_SNAPSHOT = "in-snapshot"  # the snapshot of a pause is written, and not committed


class Kind(StrEnum):
    """What happens there."""

    CRASH = "crash"  # the process is killed, as the kernel does it
    STALL = "stall"  # the whole process stands still until its lease is over, then goes on
    FAIL = "fail"  # the call has taken effect, and its caller is told otherwise


_MISSED: Final = "the connection was lost before the answer came"
# What a lost answer looks like to the caller.
LOST_ANSWERS: Final[Mapping[Fault, Callable[[str], Exception]]] = {
    Fault.BEFORE_CLAIM: psycopg.OperationalError,
    Fault.AFTER_CLAIM: psycopg.OperationalError,
    Fault.AFTER_EFFECT: Unreachable,
    Fault.AFTER_OUTCOME: psycopg.OperationalError,
    Fault.AFTER_COMMIT: psycopg.OperationalError,
    Fault.CHORD_BODY: psycopg.OperationalError,
    Fault.IN_RESUME: psycopg.OperationalError,
    Fault.IN_SNAPSHOT: psycopg.OperationalError,
}


class BadFaults(ValueError):
    """What is to be armed cannot be read, or there is no such thing."""


_armed: dict[Fault, tuple[Kind, int]] = {}  # and how many more times it is passed by
_lock = threading.Lock()
_stall = timedelta()


def arm(text: str, *, stall: timedelta) -> None:
    """Arm what *text* names, and nothing else; a stall takes so long. Raises BadFaults."""
    global _stall  # noqa: PLW0603 -- one process, one state: as the lease
    faults = dict(_read(part.strip()) for part in text.split(",") if part.strip())
    with _lock:
        _armed.clear()
        _armed.update(faults)
        _stall = stall


def reach(fault: Fault) -> None:
    """Nothing, unless a test has armed *fault*, and this is the time that it named."""
    if _armed:
        _strike(fault)


def _read(part: str) -> tuple[Fault, tuple[Kind, int]]:
    try:
        fault, kind, time = part.split(":")
        times = int(time)
    except ValueError:
        raise BadFaults(f"FLOWMAESTRO_FAULTS: {part!r} is not point:kind:number.") from None
    if times < 1:
        raise BadFaults(f"FLOWMAESTRO_FAULTS: {part!r} never happens; the first time is 1.")
    for name, known in ((fault, Fault), (kind, Kind)):
        if name not in set(known):
            raise BadFaults(f"FLOWMAESTRO_FAULTS: {name!r} in {part!r} is none of {', '.join(known)}.")
    return Fault(fault), (Kind(kind), times - 1)


def _strike(fault: Fault) -> None:
    with _lock:
        kind, left = _armed.get(fault, (None, 0))
        if kind is None:
            return
        if left:
            _armed[fault] = (kind, left - 1)
            return
        del _armed[fault]
    logger.warning("fault %s: %s", fault, kind)
    match kind:
        case Kind.CRASH:
            os.kill(os.getpid(), signal.SIGKILL)
        case Kind.STALL:
            _stand_still(_stall)
        case Kind.FAIL:
            raise LOST_ANSWERS[fault](_MISSED)


def _stand_still(time: timedelta) -> None:
    """Sleep with the interpreter's lock in hand, so that no other thread of ours goes on, the lease's included."""
    ctypes.PyDLL(None).sleep(math.ceil(time.total_seconds()))
