from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from flowmaestro.embedded import postgres, redis, services
from flowmaestro.embedded.places import PUBLIC, named_data
from flowmaestro.embedded.processes import wait_until

USER = """
import sys, time
from pathlib import Path
from flowmaestro.embedded import services
held = services.start(Path(sys.argv[1]), with_redis=False)
print("up", flush=True)
time.sleep(60)
"""


def start_user(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", USER, str(home)], stdout=subprocess.PIPE, text=True)


def test_start_by_two_processes_at_once_serves_both(home: Path) -> None:
    """One makes the data and starts the server, the other finds it running."""
    users = [start_user(home), start_user(home)]

    said = [user.stdout.readline() for user in users if user.stdout]

    assert said == ["up\n", "up\n"]
    for user in users:
        user.kill()
        user.communicate()


def test_stop_by_one_of_two_users_leaves_the_servers_to_the_other(home: Path) -> None:
    """A test run beside `flowmaestro up` takes nothing away from it."""
    first = services.start(home)
    second = services.start(home)

    was_last = [first.stop(), postgres.is_serving(home), redis.is_serving(home), second.stop()]

    assert was_last == [False, True, True, True]
    assert not postgres.is_serving(home)
    assert not redis.is_serving(home)


def test_stop_after_a_user_was_killed_stops_the_servers(home: Path) -> None:
    """A killed user is no user: the kernel let go of its hold."""
    user = start_user(home)
    assert user.stdout
    user.stdout.readline()
    os.kill(user.pid, signal.SIGKILL)
    user.communicate()

    assert services.stop(home)
    assert wait_until(lambda: not postgres.is_serving(home), seconds=5)


def test_start_of_one_server_leaves_the_other_alone(home: Path) -> None:
    """With REDIS_URL set, no Redis of ours runs."""
    with services.start(home, with_redis=False):
        assert postgres.is_serving(home)
        assert not redis.is_serving(home)


def test_stop_twice_is_stopping_once(home: Path) -> None:
    """The second time it is no longer a user's."""
    user = services.start(home, with_postgres=False)

    assert [user.stop(), user.stop()] == [True, False]


def test_stop_after_the_home_was_removed_stops_what_it_left(home: Path) -> None:
    """The servers of a removed home are found by their sockets."""
    services.start(home, with_redis=False)
    data = named_data(home)
    shutil.rmtree(home)

    assert services.stop(home)

    assert not postgres.is_serving(home)
    shutil.rmtree(data.parent if data.is_relative_to(PUBLIC) else data, ignore_errors=True)
