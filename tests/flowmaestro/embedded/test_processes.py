from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flowmaestro.embedded.processes import command_of, end, pid_in, tail

DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\nsignal.pause()"


def start(code: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    return process


def test_command_of_a_process_is_its_command_line_until_it_dies() -> None:
    """One that is dead and not yet collected does nothing any more, and counts as gone."""
    process = start("print('up', flush=True)\nimport time\ntime.sleep(60)")

    alive = command_of(process.pid)
    process.kill()
    assert process.stdout
    process.stdout.read()  # its output closes when it dies; nobody has waited for it yet

    assert alive.startswith(f"{sys.executable} -c print('up'")
    assert command_of(process.pid) == ""
    process.communicate()


def test_end_of_a_process_that_does_not_listen_goes_on_to_the_next_signal() -> None:
    """Asked, then made to."""
    process = start(DEAF)

    assert end(process.pid, [(signal.SIGTERM, 0.2)]) is False
    assert end(process.pid, [(signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0)]) is True

    assert process.wait() == -signal.SIGKILL
    process.communicate()


def test_end_of_nobody_is_done() -> None:
    """It had ended by itself."""
    process = start("print()")
    process.communicate()

    assert end(process.pid, [(signal.SIGTERM, 0.0)]) is True


@pytest.mark.parametrize(
    ("text", "pid"),
    [
        ("4711\n/data\n", 4711),  # the rest is the program's own
        ("4711", 4711),
        ("", None),  # the disk was full when it was written
        ("none\n", None),
    ],
)
def test_pid_in_a_file_is_its_first_line(tmp_path: Path, text: str, pid: int | None) -> None:
    """PostgreSQL keeps more in it than the number."""
    path = tmp_path / "pid"
    path.write_text(text)

    assert pid_in(path) == pid


def test_pid_in_a_missing_file_is_none(tmp_path: Path) -> None:
    """No file, no server."""
    assert pid_in(tmp_path / "pid") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("one\ntwo\nthree\n\n", "    two\n    three"),
        ("one\n", "    one"),
        ("x" * 100_000 + "\nlast\n", "x" * (64 * 1024 - 6) + "\n    last"),  # a log of gigabytes is not read whole
    ],
)
def test_tail_is_the_last_lines_indented(tmp_path: Path, text: str, told: str) -> None:
    """It stands below the sentence that says what failed."""
    path = tmp_path / "log"
    path.write_text(text)

    assert tail(path, lines=2).removeprefix("    ") == told.removeprefix("    ")


def test_tail_of_nothing_says_so(tmp_path: Path) -> None:
    """An empty quote would look like a mistake."""
    assert tail(tmp_path / "log") == f"    ({tmp_path / 'log'} is empty)"
