from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from flowmaestro.embedded import celery_url, database_url, redis_url, socket_dir


def test_socket_dir_of_a_deep_home_is_short_enough_for_a_socket() -> None:
    """A unix socket's path ends at 107 bytes on Linux and 103 on macOS, however deep the home is."""
    home = Path("/", *["a-rather-long-folder-name"] * 12)

    longest = socket_dir(home) / ".s.PGSQL.5432.lock"

    assert len(str(longest)) <= 103


def test_socket_dir_of_two_homes_differs() -> None:
    """Two clones on one machine do not talk to each other's servers."""
    assert socket_dir(Path("/one")) != socket_dir(Path("/two"))


def test_database_url_names_the_socket_folder_in_a_form_libpq_reads() -> None:
    """A path as a host has its slashes escaped in a URL."""
    home = Path("/somewhere/home")

    read = conninfo_to_dict(database_url(home))

    assert read == {"user": "postgres", "dbname": "flowmaestro", "host": str(socket_dir(home))}


@pytest.mark.parametrize(
    ("url", "spelled"),
    [
        ("redis://127.0.0.1:6379/3", "redis://127.0.0.1:6379/3"),  # the same in both
        ("rediss://cache.example:6380/0", "rediss://cache.example:6380/0"),  # so is TLS
        ("unix:///tmp/x/redis.sock?db=0", "redis+socket:///tmp/x/redis.sock?virtual_host=0"),  # a scheme of its own
        ("unix:///tmp/x/redis.sock", "redis+socket:///tmp/x/redis.sock?virtual_host=0"),  # database 0 unless named
    ],
)
def test_celery_url_spells_a_socket_as_kombu_does(url: str, spelled: str) -> None:
    """Celery and redis-py agree on hosts and differ on sockets."""
    assert celery_url(url) == spelled


def test_redis_url_lies_in_the_socket_folder() -> None:
    """The server is started with the same path."""
    home = Path("/somewhere/home")

    assert redis_url(home) == f"unix://{socket_dir(home)}/redis.sock?db=0"
