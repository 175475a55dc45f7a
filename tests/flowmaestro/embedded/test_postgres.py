"""Against the real server of the wheel: what is left behind by kills, reboots and removed homes ends in a start."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from flowmaestro.embedded import database_url, postgres, socket_dir
from flowmaestro.embedded.accounts import account
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.embedded.places import log_file, named_data
from flowmaestro.embedded.processes import command_of, wait_until


def query(home: Path, statement: str) -> object:
    with psycopg.connect(database_url(home), autocommit=True) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]  # a test's own statements
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def postmaster(home: Path) -> int:
    return int((named_data(home) / "postmaster.pid").read_text().splitlines()[0])


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not command_of(pid), seconds=5)


def test_start_on_an_empty_home_serves_our_database_in_utf8_to_nobody_else(home: Path) -> None:
    """Sorted by code points wherever it runs, reachable through a closed folder only."""
    postgres.start(home)

    facts = {
        name: query(home, f"SHOW {name}")
        for name in ("server_version_num", "server_encoding", "listen_addresses", "TimeZone", "data_checksums")
    }
    locale = query(
        home, "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = 'flowmaestro'"
    )
    assert int(str(facts.pop("server_version_num"))) // 10000 == 18
    assert facts == {"server_encoding": "UTF8", "listen_addresses": "", "TimeZone": "UTC", "data_checksums": "on"}
    assert locale == "b C.UTF-8"
    assert socket_dir(home).stat().st_mode & 0o777 == 0o700
    assert named_data(home).stat().st_mode & 0o777 == 0o700


def test_start_as_root_runs_as_nobody_and_leaves_folders_as_they_were(home: Path) -> None:
    """PostgreSQL refuses root; what is not ours is not opened for its sake."""
    before = {folder: folder.stat().st_mode for folder in home.parents}

    postgres.start(home)

    who = account()
    assert Path(f"/proc/{postmaster(home)}").stat().st_uid == (os.getuid() if who.uid is None else who.uid)
    assert {folder: folder.stat().st_mode for folder in home.parents} == before


def test_start_of_a_running_server_keeps_it(home: Path) -> None:
    """Starting twice is starting once."""
    postgres.start(home)
    first = postmaster(home)

    postgres.start(home)

    assert postmaster(home) == first


def test_start_after_a_kill_recovers_what_was_committed(home: Path) -> None:
    """A kill -9 leaves postmaster.pid and the socket behind, both naming a process that is gone."""
    postgres.start(home)
    query(home, "CREATE TABLE kept AS SELECT 42 AS n")
    kill(postmaster(home))

    postgres.start(home)

    assert query(home, "SELECT n FROM kept") == 42


def test_start_with_somebody_elses_pid_in_its_lock_starts_and_spares_them(home: Path) -> None:
    """After a reboot the number in postmaster.pid may be any process of ours; it is neither believed nor ended."""
    postgres.start(home)
    lock = named_data(home) / "postmaster.pid"
    lines = lock.read_text().splitlines()
    kill(postmaster(home))
    bystander = subprocess.Popen(["sleep", "60"], user=account().uid)
    lock.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")

    try:
        postgres.start(home)

        assert query(home, "SELECT 1") == 1
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_start_without_its_socket_folder_serves_again_from_the_same_data(home: Path) -> None:
    """A cleaner of the temporary folder cuts a running server off from its clients."""
    postgres.start(home)
    query(home, "CREATE TABLE kept AS SELECT 42 AS n")
    first = postmaster(home)
    shutil.rmtree(socket_dir(home))

    postgres.start(home)

    assert query(home, "SELECT n FROM kept") == 42
    assert not command_of(first)


def test_start_after_the_home_was_removed_under_a_running_server_is_afresh(home: Path) -> None:
    """Whoever removes the home wants an empty one; the server of the removed data would answer at its socket."""
    postgres.start(home)
    query(home, "CREATE TABLE forgotten AS SELECT 42 AS n")
    first, data = postmaster(home), named_data(home)
    shutil.rmtree(home)
    home.mkdir()

    postgres.start(home)

    assert query(home, "SELECT to_regclass('forgotten')") is None
    assert not command_of(first)
    shutil.rmtree(data.parent if account().uid is not None else data, ignore_errors=True)


def test_start_after_an_initdb_that_was_cut_off_makes_a_whole_one(home: Path) -> None:
    """A data folder that exists is whole: initdb works beside its place."""
    postgres.start(home)
    postgres.stop(home)
    data = named_data(home)
    half = data.with_name("postgres.new-cut-off")
    data.rename(half)
    (half / "global" / "pg_control").unlink()

    postgres.start(home)

    assert query(home, "SELECT 1") == 1
    assert not half.exists()


def test_stop_ends_the_server_and_stopping_again_is_nothing(home: Path) -> None:
    """It leaves no process and no lock."""
    postgres.start(home)
    pid = postmaster(home)

    postgres.stop(home)
    postgres.stop(home)

    assert not command_of(pid)
    assert not (named_data(home) / "postmaster.pid").exists()
    assert not postgres.is_serving(home)


def test_start_that_fails_shows_the_end_of_the_log(home: Path) -> None:
    """The reason is in PostgreSQL's words, and the person need not look for the file."""
    postgres.start(home)
    postgres.stop(home)
    (named_data(home) / "PG_VERSION").write_text("9\n")

    with pytest.raises(EmbeddedError) as caught:
        postgres.start(home)

    sentence, *log = str(caught.value).splitlines()
    assert sentence == f"pg_ctl of the embedded PostgreSQL failed (1). {log_file(home, 'postgres')} ends:"
    assert any("was initialized by PostgreSQL version 9" in line for line in log)
