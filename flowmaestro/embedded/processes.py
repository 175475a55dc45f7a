"""Processes that are not our children: who they are, whether they still live, and how they are asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_POLL_SECONDS = 0.02
_TAIL_BYTES = 64 * 1024  # more than any sensible number of lines; a log may be long


def command_of(pid: int) -> str:
    """The command line of *pid*; empty when there is no such process, or only what its parent has yet to collect."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            return ""
    answer = subprocess.run(  # noqa: S603 -- a fixed program and a number
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "" if "<defunct>" in answer.stdout else answer.stdout.strip()


def pid_in(path: Path) -> int | None:
    """The number on the first line of a pid file; None when the file or the number is missing."""
    try:
        first, *_ = path.read_text(encoding="ascii").splitlines() or [""]
    except FileNotFoundError:
        return None
    return int(first) if first.strip().isdigit() else None


def end(pid: int, steps: Sequence[tuple[signal.Signals, float]]) -> bool:
    """Send *pid* each signal in turn and wait the seconds beside it; True as soon as the process is gone."""
    for number, seconds in steps:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        if wait_until(lambda: not command_of(pid), seconds=seconds):
            return True
    return False


def wait_until(is_so: Callable[[], bool], *, seconds: float) -> bool:
    """Ask until *is_so* or *seconds* have gone by; what it said last."""
    give_up_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() >= give_up_at:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def tail(path: Path, *, lines: int = 15) -> str:
    """The last *lines* of a log, indented for use below a sentence; says so when there are none."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _TAIL_BYTES, 0))
            text = file.read().decode(errors="replace").rstrip()
    except FileNotFoundError:
        text = ""
    last = text.splitlines()[-lines:] or [f"({path} is empty)"]
    return "\n".join(f"    {line}" for line in last)
