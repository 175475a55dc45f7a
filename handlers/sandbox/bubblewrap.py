"""The command that runs another one without a way out."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from handlers.processes import bounded
from handlers.sandbox.runtimes import Runtime

SCRATCH_BYTES: Final = 16 * 1024**2
_SHELL: Final = Path("/bin/sh")
# What programs are linked against. Where the system keeps all of them below /usr, /lib and /lib64 are links to there.
_LIBRARIES: Final = tuple(map(Path, ("/usr/lib", "/usr/lib64", "/lib", "/lib64")))
_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_ZONES: Final = "/usr/share/zoneinfo"
_NOBODY: Final = "65534"
# Users that no system has, far from those of accounts and of containers' subordinate ranges. One for each run, so that
# no two share a count of threads.
_FIRST_USER, _USERS = 0x6000_0000, 0x1000_0000


def find() -> str | None:
    return shutil.which("bwrap", path=os.defpath + ":/usr/local/bin")


def outside_user() -> int | None:
    """The user to start bubblewrap as: none but ourselves, unless we are root, whom the kernel limits in nothing."""
    return _FIRST_USER + secrets.randbelow(_USERS) if os.geteuid() == 0 else None


def wrap(program: str, runtime: Runtime, *, filter_fd: int) -> list[str]:
    """The command for *runtime* in a sandbox. *filter_fd* is open for reading a filter of system calls."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", **runtime.environment}  # noqa: S108 -- its own
    return [
        program,
        "--unshare-all",
        "--unshare-user",  # not only if it can be had
        "--die-with-parent",
        "--new-session",
        *("--uid", _NOBODY, "--gid", _NOBODY, "--hostname", "sandbox"),
        *("--cap-drop", "ALL"),
        "--clearenv",
        *(part for name, value in environment.items() for part in ("--setenv", name, value)),
        *_file_system(runtime),
        *("--chdir", "/tmp"),  # noqa: S108 -- its own
        *("--seccomp", str(filter_fd)),
        "--",
        *bounded(runtime.command, runtime.bounds),
    ]


def _file_system(runtime: Runtime) -> Iterator[str]:
    for path in _LIBRARIES:
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.exists():
            yield from ("--ro-bind", str(path), str(path))
    yield from ("--ro-bind", str(_SHELL.resolve()), str(_SHELL))
    for path in runtime.files:
        yield from ("--ro-bind", str(path), str(path))
    yield from ("--ro-bind-try", _ZONES, _ZONES)
    for path in runtime.hidden:
        yield from ("--tmpfs", str(path), "--remount-ro", str(path))
    for device in _DEVICES:
        yield from ("--dev-bind", device, device)
    # No /proc, which tells of the machine, and no /dev/shm, whose size nobody bounds.
    yield from ("--size", str(SCRATCH_BYTES), "--tmpfs", "/tmp", "--remount-ro", "/")  # noqa: S108 -- its own
