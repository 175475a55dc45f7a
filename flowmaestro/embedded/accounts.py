"""Which account runs PostgreSQL's programs: ours, or `nobody` when we are root, whom PostgreSQL refuses.

The road not taken is the wheel's own `get_server()`: as root it adds a user and opens every folder above the data and
above itself to everyone.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flowmaestro.embedded.errors import EmbeddedError

UNPRIVILEGED = "nobody"  # there on every system, so that none is added
_KEPT_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH")  # no PG* that would redirect it, no secret it could leak


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user to run programs as; both numbers are None for the one we are."""

    uid: int | None = None
    gid: int | None = None

    def run(self, command: Sequence[str | Path], *, output: int, seconds: float) -> int:
        """The exit code of *command*, its words going to descriptor *output*. Raises EmbeddedError if it cannot run."""
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        try:
            done = subprocess.run(  # noqa: S603 -- programs of the wheel, arguments of ours
                command,
                cwd="/",  # the current folder may be closed to that user
                env={**environment, "LC_ALL": "C"},
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.uid is None else [],
                umask=0o077,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedError(
                f"{command[0]} does not run here: {error}. Set DATABASE_URL to use a server."
            ) from error
        return done.returncode

    def owns(self, path: Path) -> bool:
        return path.lstat().st_uid == (os.getuid() if self.uid is None else self.uid)

    def give(self, folder: Path) -> None:
        """Make *folder* theirs, and nobody else's to enter."""
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(stat.S_IRWXU)


def account() -> Account:
    """Who runs PostgreSQL for us. Raises EmbeddedError when nobody can."""
    uid = os.getuid()
    try:
        if uid != 0:
            pwd.getpwuid(uid)  # initdb asks for the name of who runs it
            return Account()
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        who = f"There is no user {UNPRIVILEGED!r} to run it as" if uid == 0 else f"User number {uid} has no name here"
        raise EmbeddedError(
            f"{who}, and PostgreSQL needs one. Set DATABASE_URL, or start FlowMaestro as an ordinary user."
        ) from None
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)
