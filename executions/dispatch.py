"""Commands become Celery messages, addressed by task name, after the commit that decided them.

A message holds ids only and may be lost, late or twice: the rows say what is to be done, the sweep sends again.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Final
from uuid import UUID

from celery import chord, signature
from celery.canvas import Signature
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from handlers import JSONValue, Lane

logger = logging.getLogger(__name__)

DRIVE: Final = "executions.drive"
RUN_NODES: Final = "executions.run_nodes"
SHARED: Final = 10  # cheap nodes that share a message: a claim each, one hop


class Fold(StrEnum):
    """What a worker does about the run when its node has ended."""

    DRIVE = "drive"  # what follows may be ready
    LOOK = "look"  # nothing can follow before others that are out: it drives unless one of them still is
    LEAVE = "leave"  # the same, and they are parts of one chord, whose body drives


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A node run that is stored as ready and waits for a worker."""

    id: UUID
    lane: Lane
    cheap: bool = False
    folds_early: bool = True  # its successors may be ready before the rest of its wave is done


def drive(execution_id: UUID) -> None:
    """Ask a worker to look at a run."""
    _send(_drive(execution_id))


def run_nodes(execution_id: UUID, ready: Sequence[Ready], *, wave: bool = False) -> None:
    """Ask workers to run these nodes of one run.

    A *wave* is all that is out of the run, so its end can be a chord's body: a certain, last fold. What is added to
    nodes already out goes as plain messages, the last of which drives.
    """
    shares = _shares(ready)
    in_chord = wave and len(shares) > 1
    waiting = Fold.LEAVE if in_chord else Fold.LOOK
    messages = [_run(share, Fold.DRIVE if any(node.folds_early for node in share) else waiting) for share in shares]
    if in_chord:
        _send(chord(messages, body=_drive(execution_id), app=messages[0].app))
        return
    for message in messages:
        _send(message)


def _drive(execution_id: UUID) -> Signature:
    return _message(DRIVE, [str(execution_id)], Lane.DRIVE)


def _run(share: Sequence[Ready], fold: Fold) -> Signature:
    return _message(RUN_NODES, [[str(node.id) for node in share], fold.value], share[0].lane)


def _message(task: str, args: list[JSONValue], lane: Lane) -> Signature:
    # Said of every message, too: a server knows the tasks by name only, and would listen for the result of each.
    options = {"queue": lane.value, "ignore_result": True}
    return signature(task, args=args, immutable=True, options=options)


def _shares(ready: Sequence[Ready]) -> list[list[Ready]]:
    """Who shares a message: slow nodes nobody, cheap ones of a lane up to ten."""
    shares = []
    for (_, cheap), group in groupby(sorted(ready, key=_kind), key=_kind):
        nodes = list(group)
        size = SHARED if cheap else 1
        shares += [nodes[first : first + size] for first in range(0, len(nodes), size)]
    return shares


def _kind(node: Ready) -> tuple[str, bool]:
    return node.lane.value, node.cheap


def _send(message: Signature) -> None:
    """A broker that is down costs time, not runs: the rows are there, and the sweep sends when it is back."""
    try:
        message.apply_async(retry=False)
    except (OperationalError, RedisError, OSError, RuntimeError) as error:  # the last: Celery, of its result store
        logger.warning("not sent, the sweep will: %s: %s", message.task, error)
