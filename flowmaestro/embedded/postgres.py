"""The embedded PostgreSQL of a home: initdb, pg_ctl and postgres of the wheel, run by ourselves.

A server counts as running only when it answers and serves this home's data. Pid files, sockets and folders may be left
over from a kill, a reboot or a removed home, and all of these end in a start.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from flowmaestro.embedded import wheels
from flowmaestro.embedded.accounts import Account, account
from flowmaestro.embedded.addresses import DATABASE, PASSWORDLESS_USER, socket_dir
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.embedded.places import log_file, named_data, open_socket_dir, prepare_data
from flowmaestro.embedded.processes import command_of, end, pid_in, tail, wait_until

INIT_SECONDS: Final = 120
START_SECONDS: Final = 60  # crash recovery included: a checkpoint is at most five minutes old
_LAUNCHES: Final = 6  # a second apart
_IN_USE: Final = "is still in use"  # PostgreSQL's word for what is left in shared memory
# What `pg_ctl stop -m fast` sends, then what its -m immediate sends. Sent by ourselves, as it may be the server of a
# data folder that is gone.
_STOP: Final = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
_NOBODYS_PID: Final = 2**31 - 1  # above every system's largest

_SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",  # the socket only
    "unix_socket_permissions": "0700",
    "max_connections": "200",  # a web server and several workers with a pool each, and their leases and sweeps
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_INIT: Final = (
    f"--username={PASSWORDLESS_USER}",
    "--encoding=UTF8",
    # Built in, so that the system needs no locale installed and sorts alike everywhere. PostgreSQL docs, 23.1.4.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--auth=trust",  # whoever may enter the socket's folder
    "--no-instructions",
)


def start(home: Path) -> None:
    """Have the home's server answer and its database exist. Raises EmbeddedError, with the end of the log."""
    who = account()
    data = prepare_data(home, who)
    sockets = open_socket_dir(home, who)
    if not is_serving(home, data):
        programs = wheels.postgres_programs(who)
        _clear_the_way(home, data)
        if not is_serving(home, data):  # it was recovering
            if not data.exists():
                _init(home, data, programs, who)
            _launch(home, data, sockets, programs, who)
    _make_database(sockets)


def stop(home: Path) -> None:
    """Stop the server that the home's socket or data names, if there is one. Raises EmbeddedError when it stays."""
    for pid in _servers(home, named_data(home)):
        _end(pid)


def is_serving(home: Path, data: Path | None = None) -> bool:
    """Whether the home's socket answers and, when *data* is given, answers for that folder."""
    try:
        with _connect(socket_dir(home)) as connection:
            found = connection.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError:
        return False
    return data is None or (found == (str(data),) and (data / "postmaster.pid").exists())


def _connect(sockets: Path, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=str(sockets), user=PASSWORDLESS_USER, dbname=database, connect_timeout=5, autocommit=True
    )


def _clear_the_way(home: Path, data: Path) -> None:
    """Wait for a server of ours that is still recovering, end one that we cannot use, make left-over locks harmless."""
    servers = _servers(home, data)
    if servers == [pid_in(data / "postmaster.pid")] == [pid_in(_socket_lock(home))]:  # it will answer where it should
        wait_until(lambda: is_serving(home, data) or not _servers(home, data), seconds=START_SECONDS)
        if is_serving(home, data):
            return
    for pid in _servers(home, data):
        _end(pid)
    # PostgreSQL asks only whether a process of that number exists. After a reboot it may be anybody's, and where
    # nobody collects the dead, as in many containers, it is that of the dead server. The rest of the data folder's
    # lock stays: by it PostgreSQL sees children of a killed server that are still at work in shared memory.
    _socket_lock(home).unlink(missing_ok=True)
    lock = data / "postmaster.pid"
    if lock.exists():
        lines = lock.read_text(encoding="utf-8").splitlines(keepends=True)
        lock.write_text("".join([f"{_NOBODYS_PID}\n", *lines[1:]]), encoding="utf-8")


def _servers(home: Path, data: Path) -> list[int]:
    """The living postmasters that this data, or the home's socket, is locked by."""
    claims = {pid_in(data / "postmaster.pid"): f"-D {data} ", pid_in(_socket_lock(home)): str(socket_dir(home))}
    return [pid for pid, mark in claims.items() if pid is not None and mark in f"{command_of(pid)} "]


def _socket_lock(home: Path) -> Path:
    return socket_dir(home) / ".s.PGSQL.5432.lock"


def _end(pid: int) -> None:
    if not end(pid, _STOP):
        raise EmbeddedError(f"PostgreSQL (process {pid}) does not end. Look at it, then try again.")


def _init(home: Path, data: Path, programs: Path, who: Account) -> None:
    """Make the data folder beside its place, then rename it: one that exists is whole."""
    for leftover in data.parent.glob("postgres.new-*"):
        shutil.rmtree(leftover)
    fresh = Path(tempfile.mkdtemp(prefix="postgres.new-", dir=data.parent))
    who.give(fresh)
    _run(home, [programs / "initdb", f"--pgdata={fresh}", *_INIT], who, seconds=INIT_SECONDS)
    fresh.rename(data)


def _launch(home: Path, data: Path, sockets: Path, programs: Path, who: Account) -> None:
    settings = {**_SETTINGS, "unix_socket_directories": str(sockets)}
    options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
    # -l is left out on purpose: our own descriptor reaches a log in a home that the account may not enter.
    command: list[str | Path] = [
        programs / "pg_ctl",
        "start",
        f"--pgdata={data}",
        "-w",
        "-t",
        str(START_SECONDS),
        "-o",
        options,
    ]
    for attempt in range(_LAUNCHES):
        try:
            _run(home, command, who, seconds=START_SECONDS + 10)
        except EmbeddedError:
            # Its children may outlive a killed server for a moment.
            if attempt == _LAUNCHES - 1 or _IN_USE not in tail(log_file(home, "postgres")):
                raise
            time.sleep(1)
        else:
            return


def _run(home: Path, command: list[str | Path], who: Account, *, seconds: float) -> None:
    path = log_file(home, "postgres")
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        code = who.run(command, output=log, seconds=seconds)
    finally:
        os.close(log)
    if code != 0:
        name = Path(command[0]).name
        raise EmbeddedError(f"{name} of the embedded PostgreSQL failed ({code}). {path} ends:\n{tail(path)}")


def _make_database(sockets: Path) -> None:
    with _connect(sockets) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not known:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
