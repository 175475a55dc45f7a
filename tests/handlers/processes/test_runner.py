from __future__ import annotations

import os
import sys
from pathlib import Path
from signal import SIGXCPU
from threading import Timer
from time import monotonic, sleep

import pytest

from handlers import Cancelled
from handlers.processes import Bounds, Fate, Finished, run
from tests.handlers.fakes import RecordingLent

MB = 1024**2


def sh(script: str, *, stdin: bytes = b"", bounds: Bounds | None = None, lent: RecordingLent | None = None) -> Finished:
    return run(["sh", "-c", script], stdin=stdin, bounds=bounds or Bounds(seconds=20), lent=lent or RecordingLent())


def is_alive(pid: int) -> bool:
    """Whether it runs still: one that nobody has waited for is over too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(pid: int) -> bool:
    until = monotonic() + 5
    while is_alive(pid) and monotonic() < until:
        sleep(0.01)
    return not is_alive(pid)


def test_streams_and_status_are_told_apart() -> None:
    finished = sh("cat; echo out; echo err >&2; echo reply >&0; exit 3", stdin=b"in ")

    assert (finished.stdout, finished.stderr, finished.reply) == (b"in out\n", b"err\n", b"reply\n")
    assert (finished.fate, finished.status, finished.is_cut) == (Fate.EXITED, 3, False)


def test_nothing_of_our_environment_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    assert b"sk-secret" not in sh("env").stdout


def test_no_open_file_of_ours_is_handed_on(tmp_path: Path) -> None:
    with (tmp_path / "ours").open("w") as file:
        os.set_inheritable(file.fileno(), True)

        assert str(tmp_path).encode() not in sh("ls -l /proc/self/fd").stdout


def test_input_that_is_not_read_stops_nobody() -> None:
    assert sh("echo done", stdin=b"x" * 10 * MB).stdout == b"done\n"


def test_the_status_tells_the_signal() -> None:
    assert sh("kill -9 $$").status == -9


def test_a_program_that_is_not_there_is_told_by_the_shell() -> None:
    finished = run(["/nowhere/program"], bounds=Bounds(seconds=20), lent=RecordingLent())

    assert finished.status == 127


def test_logs_are_kept_up_to_a_size_and_the_rest_is_dropped() -> None:
    finished = sh("yes | head -c 3000000; echo end >&2", bounds=Bounds(seconds=20, log_bytes=1000))

    assert (len(finished.stdout), finished.is_cut) == (1000, True)
    assert finished.stderr == b"end\n"


def test_an_endless_reply_is_not_waited_for() -> None:
    finished = sh("yes >&0", bounds=Bounds(seconds=20, reply_bytes=1000))

    assert (finished.fate, len(finished.reply)) == (Fate.FLOODED, 1000)


def test_all_of_the_tree_is_killed_when_the_time_is_up() -> None:
    finished = sh("sleep 60 & echo $!; wait", bounds=Bounds(seconds=0.3))

    assert finished.fate is Fate.OVERDUE
    assert gone(int(finished.stdout))


def test_what_a_process_leaves_behind_ends_with_it() -> None:
    finished = sh("sleep 60 & echo $!")

    assert finished.fate is Fate.EXITED
    assert gone(int(finished.stdout))


def test_a_process_that_closes_its_streams_is_still_waited_for() -> None:
    finished = sh("exec <&- >&- 2>&-; sleep 0.2; exit 4")

    assert (finished.fate, finished.status) == (Fate.EXITED, 4)


def test_a_cancelled_process_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    lent = RecordingLent()
    pids = tmp_path / "pids"
    Timer(0.3, lent.cancel).start()

    with pytest.raises(Cancelled):
        sh(f"sleep 60 & echo $$ $! > {pids}; wait", lent=lent)

    assert all(gone(int(pid)) for pid in pids.read_text().split())


def test_a_cancel_that_comes_late_kills_nobody() -> None:
    """The number of a process that is over may be another's by then."""
    lent = RecordingLent()
    sh("true", lent=lent)

    lent.cancel()


def test_nothing_is_started_for_a_cancelled_attempt(tmp_path: Path) -> None:
    lent = RecordingLent()
    lent.cancel()

    with pytest.raises(Cancelled):
        sh(f"touch {tmp_path}/started", lent=lent)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("bounds", "script"),
    [
        (Bounds(seconds=20, address_bytes=256 * MB), "bytearray(300 * 2**20)"),
        (Bounds(seconds=20, data_bytes=256 * MB), "bytearray(300 * 2**20)"),
        (Bounds(seconds=20, open_files=20), "[open('/dev/null') for _ in range(30)][99]"),
        (Bounds(seconds=20, file_bytes=1 * MB), "open('big', 'wb').write(bytes(2 * 2**20))"),
    ],
)
def test_the_kernel_holds_a_process_to_its_bounds(bounds: Bounds, script: str, tmp_path: Path) -> None:
    finished = run([sys.executable, "-I", "-S", "-c", script], bounds=bounds, lent=RecordingLent(), cwd=tmp_path)

    assert finished.status != 0
    assert any(kind in finished.stderr for kind in (b"MemoryError", b"Too many open files", b"File too large"))


def test_time_on_the_processor_is_bounded_and_told() -> None:
    finished = sh("while :; do :; done", bounds=Bounds(seconds=20, cpu_seconds=1))

    assert finished.ended_by(SIGXCPU)
