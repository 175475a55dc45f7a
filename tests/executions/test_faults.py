from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from executions import faults
from executions.faults import LOST_ANSWERS, BadFaults, Fault, Kind, arm, reach
from handlers import Unreachable

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm("", stall=timedelta())


def process(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_happens_where_nothing_is_armed() -> None:
    for fault in Fault:
        reach(fault)


def test_fault_strikes_at_the_time_that_was_named_and_once() -> None:
    arm("after-claim:fail:3, before-claim:fail:1", stall=timedelta())
    struck = []

    for time_ in range(1, 6):
        reach(Fault.AFTER_COMMIT)
        try:
            reach(Fault.AFTER_CLAIM)
        except psycopg.OperationalError:
            struck.append(time_)

    assert struck == [3]


@pytest.mark.parametrize("fault", Fault)
def test_failure_looks_like_an_answer_that_was_lost(fault: Fault) -> None:
    """To a node that of the service it called, elsewhere that of the database: both are tried again."""
    arm(f"{fault}:fail:1", stall=timedelta())

    with pytest.raises((psycopg.OperationalError, Unreachable)) as raised:
        reach(fault)

    assert type(raised.value) is LOST_ANSWERS[fault]


def test_stall_holds_every_thread_of_the_process() -> None:
    """Else the thread that renews the lease would go on."""
    arm("after-claim:stall:1", stall=timedelta(seconds=0.5))
    moments, is_over = [time.monotonic()], threading.Event()

    def tick() -> None:
        while not is_over.wait(0.01):
            moments.append(time.monotonic())

    ticking = threading.Thread(target=tick)
    ticking.start()
    reach(Fault.AFTER_CLAIM)
    is_over.set()
    ticking.join()

    ends = [*moments[1:], time.monotonic()]
    assert max(later - earlier for earlier, later in zip(moments, ends, strict=True)) >= 0.9


def test_crash_is_a_kill() -> None:
    code = "from executions import faults\nfrom datetime import timedelta\n"
    code += "faults.arm('after-claim:crash:1', stall=timedelta())\nfaults.reach(faults.Fault.AFTER_CLAIM)"

    assert process(code).returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nowhere:crash:1", "'nowhere' in 'nowhere:crash:1' is none of before-claim, "),
        ("after-claim:explode:1", "'explode' in 'after-claim:explode:1' is none of crash, stall, fail."),
        ("after-claim:crash", "'after-claim:crash' is not point:kind:number."),
        ("after-claim:crash:often", "'after-claim:crash:often' is not point:kind:number."),
        ("after-claim:crash:0", "'after-claim:crash:0' never happens; the first time is 1."),
    ],
)
def test_faults_that_there_are_not_are_refused(text: str, told: str) -> None:
    with pytest.raises(BadFaults) as refused:
        arm(text, stall=timedelta())

    assert told in str(refused.value)


def test_process_with_an_unknown_fault_ends_at_its_start() -> None:
    """A suite that is to visit a fault must not pass because nothing happened."""
    ended = process("import django; django.setup(); print('started')", FLOWMAESTRO_FAULTS="nowhere:crash:1")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[-1].endswith(
        f"FLOWMAESTRO_FAULTS: 'nowhere' in 'nowhere:crash:1' is none of {', '.join(Fault)}."
    )


def test_process_of_a_site_arms_nothing_whatever_its_environment_says() -> None:
    code = "import django; django.setup(); from executions import faults; print(faults._armed)"

    ended = process(code, DJANGO_SETTINGS_MODULE="flowmaestro.settings", FLOWMAESTRO_FAULTS="after-claim:crash:1")

    assert (ended.returncode, ended.stdout) == (0, "{}\n")


def test_process_of_the_tests_arms_what_its_environment_says() -> None:
    code = "import django; django.setup(); from executions import faults; print(faults._armed, faults._stall)"

    ended = process(code, FLOWMAESTRO_FAULTS="after-claim:crash:7", FLOWMAESTRO_LEASE_SECONDS="3")

    armed = {Fault.AFTER_CLAIM: (Kind.CRASH, 6)}
    assert ended.stdout == f"{armed} 0:00:05\n"


def test_every_fault_has_its_place_in_the_engine() -> None:
    """A name without one would be visited and never met."""
    placed = {
        Fault[call.args[0].attr]
        for path in (ROOT / "executions").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == faults.reach.__name__
        and isinstance(call.args[0], ast.Attribute)
    }

    assert placed == set(Fault)
