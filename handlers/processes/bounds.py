"""What a process may take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

MB: Final = 1024**2
_BLOCK: Final = 512  # bytes; the unit of `ulimit -f`. Source: POSIX, "ulimit".
_KB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Of a process and all it starts; those from `cpu_seconds` on are of each process. None: not bounded."""

    seconds: float  # by the clock; then all of it is killed
    reply_bytes: int = 16 * MB  # more, and all of it is killed
    log_bytes: int = 1 * MB  # of each standard output and standard error; the rest is dropped
    cpu_seconds: float | None = None
    address_bytes: int | None = None  # address space: right for Python; V8 and the JVM reserve far more than they use
    data_bytes: int | None = None  # private memory that can be written to, threads' stacks included
    file_bytes: int | None = None  # of one file
    open_files: int | None = None
    processes: int | None = None  # of the user, threads included; in a user namespace: in it


def bounded(command: Sequence[str], bounds: Bounds) -> list[str]:
    """*command* begun by a shell that sets the limits of *bounds* and then becomes it."""
    limits = ["ulimit -c 0"]
    if bounds.cpu_seconds is not None:
        # At the soft limit SIGXCPU tells what it was; a program that ignores it is killed a second later.
        seconds = max(1, ceil(bounds.cpu_seconds))
        limits += [f"ulimit -S -t {seconds}", f"ulimit -H -t {seconds + 1}"]
    for letter, most, unit in (
        ("v", bounds.address_bytes, _KB),
        ("d", bounds.data_bytes, _KB),
        ("f", bounds.file_bytes, _BLOCK),
        ("n", bounds.open_files, 1),
    ):
        if most is not None:
            limits.append(f"ulimit -{letter} {most // unit}")
    if bounds.processes is not None:
        # bash has another letter than dash and busybox.
        limits.append(f"{{ ulimit -p {bounds.processes} 2>/dev/null || ulimit -u {bounds.processes}; }}")
    return ["/bin/sh", "-c", f'{" && ".join(limits)} && exec "$@"', "sh", *command]
