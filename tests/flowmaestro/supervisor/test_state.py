from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from flowmaestro.supervisor import StackState, claim, read
from flowmaestro.supervisor.state import is_claimed

HOLDER = """
import sys, time
from pathlib import Path
from flowmaestro.supervisor import StackState, claim
claim(Path(sys.argv[1])).write(StackState(pid=1, url="http://127.0.0.1:1"))
print("claimed", flush=True)
time.sleep(60)
"""


def test_read_of_an_unclaimed_home_is_nothing(tmp_path: Path) -> None:
    """Looking makes no files."""
    assert read(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_read_gives_what_the_holder_wrote(tmp_path: Path) -> None:
    """`status`, `down` and `demo` find the stack by it."""
    held = claim(tmp_path)
    assert held is not None
    state = StackState(
        pid=os.getpid(),
        url="http://127.0.0.1:8000",
        is_ready=True,
        children={"web": 7},
        standin_url="http://127.0.0.1:9",
        stops_at="2030-01-01T00:00:00+00:00",
    )

    held.write(state)

    assert read(tmp_path) == state
    held.release()
    assert read(tmp_path) is None


def test_claim_of_a_claimed_home_is_refused(tmp_path: Path) -> None:
    """One home, one stack."""
    held = claim(tmp_path)
    assert held is not None

    assert claim(tmp_path) is None

    held.release()


def test_read_after_the_holder_was_killed_is_nothing_and_the_home_is_free(tmp_path: Path) -> None:
    """The file it left behind names a number that may be anybody's by now."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"claimed\n"
    assert is_claimed(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()

    found = read(tmp_path)

    assert json.loads((tmp_path / "up.json").read_text())["pid"] == 1
    assert found is None
    held = claim(tmp_path)
    assert held is not None
    assert not (tmp_path / "up.json").exists()
    held.release()


def test_read_of_what_another_version_wrote_takes_what_it_knows(tmp_path: Path) -> None:
    """After an upgrade `down` still stops what the old version started."""
    held = claim(tmp_path)
    assert held is not None
    (tmp_path / "up.json").write_text('{"pid": 7, "url": "http://127.0.0.1:8000", "colour": "blue"}')

    assert read(tmp_path) == StackState(pid=7, url="http://127.0.0.1:8000")

    held.release()
