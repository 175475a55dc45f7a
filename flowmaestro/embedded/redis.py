"""The embedded Redis of a home: the wheel's redis-server on a unix socket, with an append-only file of every second.

What it loses in a crash, at most a second, is messages; the rows in PostgreSQL are the truth and send them again.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from flowmaestro.embedded import wheels
from flowmaestro.embedded.accounts import account
from flowmaestro.embedded.addresses import socket_dir
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.embedded.places import log_file, open_socket_dir
from flowmaestro.embedded.processes import command_of, end, pid_in, tail, wait_until

START_SECONDS = 30  # reading a long append-only file included
_STOP: Final = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))  # on SIGTERM it syncs its file, as on SHUTDOWN


def start(home: Path) -> None:
    """Have the home's Redis answer. Raises EmbeddedError, with the end of the log."""
    open_socket_dir(home, account())
    if is_serving(home):
        return
    stop(home)  # one that does not answer where it should still writes to the same files
    data = home / "redis"
    data.mkdir(mode=0o700, exist_ok=True)
    log = log_file(home, "redis")
    settings = {
        "port": "0",  # the socket only
        "unixsocket": str(_socket(home)),
        "unixsocketperm": "700",
        "daemonize": "yes",
        "pidfile": str(_pid_file(home)),
        "logfile": str(log),
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",  # the append-only file is enough
        "maxmemory-policy": "noeviction",  # an evicted list would be lost messages
    }
    command = [str(wheels.redis_server()), *(word for name, value in settings.items() for word in (f"--{name}", value))]
    try:
        done = subprocess.run(  # noqa: S603 -- the wheel's program, arguments of ours
            command, cwd=data, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedError(f"{command[0]} does not run here: {error}. Set REDIS_URL to use a server.") from error
    if done.returncode != 0 or not wait_until(lambda: is_serving(home), seconds=START_SECONDS):
        raise EmbeddedError(f"The embedded Redis does not answer. {done.stdout}{log} ends:\n{tail(log)}")


def stop(home: Path) -> None:
    """Stop the home's Redis, if it runs. Raises EmbeddedError when it stays."""
    for pid in _servers(home):
        if not end(pid, _STOP):
            raise EmbeddedError(f"Redis (process {pid}) does not end. Look at it, then try again.")


def is_serving(home: Path) -> bool:
    """Whether the home's socket answers for the home's files. False while it loads them."""
    try:
        with _connect(home) as connection:
            # Its folder reads as empty text when the home was removed under it.
            return bool(connection.config_get("dir") == {"dir": str(home / "redis")})
    except redis.RedisError:
        return False


def _connect(home: Path) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(_socket(home)), socket_timeout=5, retry=Retry(NoBackoff(), 0))


def _servers(home: Path) -> set[int]:
    """The living servers that the home's pid file names, or that answer at its socket."""
    found = set()
    pid = pid_in(_pid_file(home))
    if pid is not None and str(_socket(home)) in command_of(pid):
        found.add(pid)
    try:
        with _connect(home) as connection:
            found.add(int(connection.info("server")["process_id"]))
    except redis.RedisError:
        pass  # nobody listens there
    return found


def _socket(home: Path) -> Path:
    return socket_dir(home) / "redis.sock"


def _pid_file(home: Path) -> Path:
    return home / "redis" / "redis.pid"
