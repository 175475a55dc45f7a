"""A whole site for the time of a test, as `flowmaestro up` starts it: own home, own database, own keys in Redis."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

from flowmaestro.embedded import services
from flowmaestro.embedded.places import PUBLIC, named_data
from flowmaestro.embedded.processes import tail, wait_until
from flowmaestro.embedded.secret_files import read_secret
from flowmaestro.env import env
from flowmaestro.supervisor import StackState, read

REPOSITORY: Final = Path(__file__).parents[2]
START_SECONDS: Final = 300.0  # a first initdb and every migration on a slow machine
STOP_SECONDS: Final = 60.0  # workers drain for 30
STOPS_ANYWAY_AFTER: Final = 900  # seconds; when we are killed, nobody else will tell it to


class SiteError(Exception):
    """A site cannot be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    url: str
    key: str = field(repr=False)
    home: Path | None = None  # of one that is ours


def clean_environment() -> dict[str, str]:
    """One that names no server, no key, no proxy and nothing of the suite's."""
    return {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}


@contextmanager
def own_site() -> Iterator[Site]:
    """A site that answers. DATABASE_URL and REDIS_URL name servers to use; what is made there goes. Raises SiteError."""
    with ExitStack() as cleanup:
        environment = clean_environment()
        environment["FLOWMAESTRO_EGRESS_ALLOW"] = "127.0.0.1"  # where the server is that its HTTP nodes call
        if url := env("DATABASE_URL"):
            environment["DATABASE_URL"] = cleanup.enter_context(_own_database(url))
        if url := env("REDIS_URL"):
            environment["REDIS_URL"] = url
            environment["FLOWMAESTRO_REDIS_PREFIX"] = cleanup.enter_context(_own_prefix(url))
        home = cleanup.enter_context(_own_home())
        state = cleanup.enter_context(_up(home, environment))
        yield Site(url=state.url, key=read_secret(home / "api-key"), home=home)


@contextmanager
def _up(home: Path, environment: Mapping[str, str]) -> Iterator[StackState]:
    log = home / "up.log"
    command = [sys.executable, str(REPOSITORY / "manage.py"), "up", f"--stop-after={STOPS_ANYWAY_AFTER}"]
    with log.open("wb") as output:
        # In a session of its own Ctrl-C reaches us alone, and we end it in order.
        process = subprocess.Popen(
            command,
            env={**environment, "FLOWMAESTRO_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _ready(home, process, log)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()  # its children end with it
            process.wait()


def _ready(home: Path, process: subprocess.Popen[bytes], log: Path) -> StackState:
    def looked_at() -> bool:
        nonlocal state
        state = read(home)
        return process.poll() is not None or (state is not None and state.is_ready)

    state: StackState | None = None
    if not wait_until(looked_at, seconds=START_SECONDS):
        raise SiteError(f"The site was not ready after {START_SECONDS:.0f} seconds:\n{tail(log)}")
    if state is None or not state.is_ready:
        raise SiteError(f"The site did not start:\n{tail(log)}")
    return state


@contextmanager
def _own_home() -> Iterator[Path]:
    with TemporaryDirectory(prefix="flowmaestro-client-") as folder:
        home = Path(folder).resolve()
        try:
            yield home
        finally:
            services.stop(home)  # does nothing when the site has done it
            data = named_data(home)
            if data.is_relative_to(PUBLIC):
                shutil.rmtree(data.parent, ignore_errors=True)


@contextmanager
def _own_database(url: str) -> Iterator[str]:
    """The URL of a new database on the server of *url*. Raises SiteError."""
    name = f"flowmaestro_client_{os.getpid()}"
    try:
        server = psycopg.connect(url, dbname="postgres", autocommit=True)
    except psycopg.OperationalError as error:
        raise SiteError(f"The server of DATABASE_URL does not answer: {error}") from error
    with server:
        try:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            yield urlsplit(url)._replace(path=f"/{name}").geturl()
        finally:
            # FORCE: of a worker that was killed, the server may not know yet.
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def _own_prefix(url: str) -> Iterator[str]:
    """What our keys in the Redis of *url* begin with."""
    prefix = f"fmclient-{os.getpid()}:"
    try:
        yield prefix
    finally:
        with redis.Redis.from_url(url) as client:
            for key in client.scan_iter(f"{prefix}*"):
                client.delete(key)
