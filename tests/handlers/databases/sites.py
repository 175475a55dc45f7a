"""Databases for nodes to ask: one of each kind on this machine, made for the tests and gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import psycopg
import pymysql
import pytest

from flowmaestro.embedded.processes import wait_until
from tests.handlers.servers import socket_server

NAME = f"fmtest_{os.getpid()}"
MYSQL = ("127.0.0.1", 3306)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    url: str  # as `connectionUrl` has it
    place: str  # of a value in SQL
    sleep: str  # SQL that takes ten seconds
    many: str  # SQL of a million rows

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (5432 if self.place == "$1" else 3306)


@contextmanager
def postgres_site(url: str) -> Iterator[Site]:
    """A database of the server at *url*, which may listen on a socket in the file system."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {NAME}")
        try:
            with _reachable(url) as place:
                yield Site(
                    url=f"postgresql://{place}/{NAME}",
                    place="$1",
                    sleep="SELECT pg_sleep(10)",
                    many="SELECT n, repeat('x', 100) AS text FROM generate_series(1, 1000000) AS t(n)",
                )
        finally:
            admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


@contextmanager
def _reachable(url: str) -> Iterator[str]:
    """`user:password@host:port` of the server at *url*; nodes know no sockets in the file system."""
    parts = urlsplit(url)
    who, _, where = parts.netloc.rpartition("@")
    folder = unquote(where)
    if not folder.startswith("/"):
        yield f"{who}@{where}"
        return

    def pass_on(client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(f"{folder}/.s.PGSQL.5432")
            back = Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()

    with socket_server(pass_on) as (host, port):
        yield f"{who}@{host}:{port}"


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def mysql_site(folder: Path) -> Iterator[Site]:
    """A database of the server that runs here, or of one of our own. Skips the test where there is neither."""
    with _mysql_server(folder) as (host, port), closing(pymysql.connect(host=host, port=port, user="root")) as admin:
        admin.cursor().execute(f"CREATE DATABASE {NAME}")
        try:
            yield Site(
                url=f"mysql://root@{host}:{port}/{NAME}",
                place="?",
                sleep="SELECT sleep(10)",
                many="SELECT seq AS n, repeat('x', 100) AS text FROM seq_1_to_1000000",
            )
        finally:
            admin.cursor().execute(f"DROP DATABASE {NAME}")


@contextmanager
def _mysql_server(folder: Path) -> Iterator[tuple[str, int]]:
    if _answers(*MYSQL):
        yield MYSQL
        return
    programs = [shutil.which(name) for name in ("mariadb-install-db", "mariadbd")]
    if None in programs:
        pytest.skip("no MariaDB server runs at 127.0.0.1:3306, and there is no mariadbd to start one")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    who = ["--user=root"] if os.getuid() == 0 else []
    common = ["--no-defaults", f"--datadir={folder}", *who]
    subprocess.run(
        [programs[0], *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
        check=True,
        capture_output=True,
    )
    server = subprocess.Popen(
        [programs[1], *common, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s"],
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: _answers("127.0.0.1", port), seconds=60)
        yield "127.0.0.1", port
    finally:
        server.terminate()
        server.wait(30)


def _answers(host: str, port: int) -> bool:
    try:
        pymysql.connect(host=host, port=port, user="root", connect_timeout=5).close()
    except pymysql.Error:
        return False
    return True
