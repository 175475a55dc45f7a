"""The folders of the embedded servers: what is made, who owns it, and that nobody else may enter it."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from flowmaestro.embedded.accounts import Account
from flowmaestro.embedded.addresses import socket_dir
from flowmaestro.embedded.errors import EmbeddedError

PUBLIC = Path("/var/lib/flowmaestro")  # its parents are open to all on every system
_MARK = "home"  # a file beside the data that says whose it is


def named_data(home: Path) -> Path:
    """Where the PostgreSQL data of *home* lies, or would lie without root; nothing is made."""
    place = home / "postgres"
    return place.readlink() if place.is_symlink() else place


def prepare_data(home: Path, who: Account) -> Path:
    """The data folder of *home*, for initdb to make when it is not there.

    It lies in the home, or, when we are root, in a public place with a link to it in the home. The link and not the
    home's path names it: a home that was removed starts afresh, one that was moved keeps its data.
    """
    data = named_data(home)
    try:
        if data.exists():
            is_theirs = who.owns(data)
        elif who.uid is None:
            is_theirs = os.access(data.parent, os.W_OK)
        else:
            if data.parent == home or not data.parent.exists():
                data = _link_public(home, who)
            is_theirs = True
    except PermissionError:
        is_theirs = False
    if not is_theirs:
        raise EmbeddedError(
            f"{data} belongs to another user: run FlowMaestro as that user, or name another FLOWMAESTRO_HOME."
        )
    if who.uid is not None:
        (data.parent / _MARK).write_text(f"{home}\n", encoding="utf-8")  # again each time: a home may be moved
    return data


def homes_of_public_data() -> list[tuple[Path, Path]]:
    """Folders of data that root's homes link to, each with the home that used it last."""
    return [(mark.parent, Path(mark.read_text(encoding="utf-8").strip())) for mark in sorted(PUBLIC.glob(f"*/{_MARK}"))]


def open_socket_dir(home: Path, who: Account) -> Path:
    """The folder of the home's sockets, closed to everybody else: inside it a password would add nothing."""
    path = socket_dir(home)
    path.mkdir(mode=stat.S_IRWXU, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.getuid(), who.uid}:
        raise EmbeddedError(f"{path} belongs to somebody else. Remove it, or set TMPDIR to a folder of your own.")
    who.give(path)
    return path


def public_folder() -> Path:
    try:
        PUBLIC.mkdir(mode=0o755, exist_ok=True)
        PUBLIC.chmod(0o755)  # whatever the umask is
    except OSError as error:
        raise EmbeddedError(
            f"As root, PostgreSQL is kept in {PUBLIC}, which cannot be made: {error.strerror}. "
            "Set DATABASE_URL, or start FlowMaestro as an ordinary user."
        ) from error
    return PUBLIC


def log_file(home: Path, name: str) -> Path:
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.log"


def _link_public(home: Path, who: Account) -> Path:
    folder = public_folder() / secrets.token_hex(8)
    folder.mkdir(mode=stat.S_IRWXU)
    who.give(folder)
    place = home / "postgres"
    place.unlink(missing_ok=True)  # what it pointed at is gone
    place.symlink_to(folder / "postgres")
    return folder / "postgres"
