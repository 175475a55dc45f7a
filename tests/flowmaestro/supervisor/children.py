"""Children that are a few lines of Python each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flowmaestro.embedded.processes import command_of, wait_until
from flowmaestro.supervisor import ChildSpec

REPOSITORY = Path(__file__).parents[3]
SLEEPER = "import time\nprint('running', flush=True)\ntime.sleep(60)\n"

MakeChild = Callable[..., ChildSpec]


def is_gone(pid: int, *, seconds: float = 5.0) -> bool:
    return wait_until(lambda: not command_of(pid), seconds=seconds)
