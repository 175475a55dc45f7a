"""The supervisor on real processes of a few lines each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from flowmaestro.embedded.processes import command_of, wait_until
from flowmaestro.supervisor import ChildSpec, Supervisor, SupervisorError, restarts
from tests.flowmaestro.supervisor.children import REPOSITORY, SLEEPER, MakeChild, is_gone

DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('deaf', flush=True)\nsignal.pause()\n"
SAYS_BYE = """
import signal, sys, time
def bye(number, frame):
    with open({path!r}, "a") as file:
        file.write({name!r} + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, bye)
print("running", flush=True)
time.sleep(60)
"""
STACK = """
import sys
from pathlib import Path
from flowmaestro.supervisor import ChildSpec, Supervisor
specs = [
    ChildSpec(name=name, module=f"fake_{name}", log=Path(sys.argv[1], f"{name}.log"), drain_seconds=1.0)
    for name in sys.argv[2:]
]
supervisor = Supervisor([specs], look=lambda pids: all("" != spec.log.read_text() for spec in specs), say=print)
supervisor.run(on_ready=lambda: print(*supervisor.pids.values(), flush=True), on_change=lambda: None)
"""


class Told:
    """What a supervisor said, and its pids after each change."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self.pids: list[dict[str, int]] = []


def supervise(
    waves: Sequence[Sequence[ChildSpec]],
    script: Callable[[Supervisor], None] = lambda supervisor: None,
    *,
    ends_by_itself: bool = False,
    stop_after_seconds: float | None = None,
    on_wish: Callable[[Supervisor], None] = lambda supervisor: None,
) -> Told:
    """Run *waves*; when all children have spoken, *script*; when that is over, the SIGTERM that `down` sends."""
    told = Told()
    specs = [spec for wave in waves for spec in wave]
    supervisor = Supervisor(
        waves,
        look=lambda pids: all(spec.log.exists() and spec.log.read_text() for spec in specs),
        say=told.sentences.append,
        on_wish=lambda: on_wish(supervisor),
        stop_after_seconds=stop_after_seconds,
    )

    def act() -> None:
        try:
            script(supervisor)
        finally:
            if not ends_by_itself:
                os.kill(os.getpid(), signal.SIGTERM)

    actor = threading.Thread(target=act)  # an assertion that fails in it fails the test: pytest collects it
    supervisor.run(on_ready=actor.start, on_change=lambda: told.pids.append(supervisor.pids))
    actor.join()
    return told


def test_run_restarts_a_killed_child_and_leaves_the_others(make_child: MakeChild) -> None:
    """A kill -9 costs one child a blink."""

    def kill_one(supervisor: Supervisor) -> None:
        first = supervisor.pids["one"]
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: supervisor.pids.get("one", first) != first, seconds=5)

    told = supervise([[make_child("one"), make_child("two")]], kill_one)

    before, after = told.pids[0], told.pids[-1]
    assert before["one"] != after["one"]
    assert before["two"] == after["two"]
    assert told.sentences == [f"one (process {before['one']}) was killed by SIGKILL; it is started again."]


def test_run_told_to_end_leaves_no_child(make_child: MakeChild) -> None:
    """Nothing is left behind, and nobody who ends in time is killed."""
    told = supervise([[make_child("one")], [make_child("two")]])

    assert [is_gone(pid, seconds=0) for pid in told.pids[0].values()] == [True, True]


def test_run_ends_the_last_wave_first(make_child: MakeChild, tmp_path: Path) -> None:
    """Workers may need the services of the first wave until they are done."""
    diary = tmp_path / "diary"
    waves = [[make_child(name, SAYS_BYE.format(path=str(diary), name=name))] for name in ("standin", "worker")]

    supervise(waves)

    assert diary.read_text().split() == ["worker", "standin"]


def test_run_kills_a_child_that_does_not_end_in_its_time(make_child: MakeChild) -> None:
    """A node that never returns cannot keep the machine from shutting down."""
    told = supervise([[make_child("deaf", DEAF, drain_seconds=0.5)]])

    assert is_gone(told.pids[0]["deaf"], seconds=0)


def test_run_told_twice_kills_without_waiting(make_child: MakeChild) -> None:
    """The second Ctrl-C means now."""

    def insist(supervisor: Supervisor) -> None:
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()

    told = supervise([[make_child("deaf", DEAF, drain_seconds=3600)]], insist)

    assert is_gone(told.pids[0]["deaf"], seconds=0)


def test_run_with_a_time_ends_by_itself(make_child: MakeChild) -> None:
    """The demo's stack does not stay for ever."""
    told = supervise([[make_child("one")]], stop_after_seconds=0.2, ends_by_itself=True)

    assert is_gone(told.pids[0]["one"], seconds=0)


def test_run_with_a_wish_adds_one_child_and_replaces_another(make_child: MakeChild) -> None:
    """The demo's stand-in joins a stack that serves; who is replaced ends as asked, which is no death to be told."""

    def grant(supervisor: Supervisor) -> None:
        supervisor.add(make_child("added"))
        supervisor.replace(make_child("one", SLEEPER.replace("running", "replaced")))

    def wish(supervisor: Supervisor) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert wait_until(lambda: "replaced" in one.log.read_text(), seconds=10)
        assert wait_until(lambda: supervisor.is_ready and len(supervisor.pids) == 3, seconds=5)

    one, two = make_child("one"), make_child("two")
    told = supervise([[one, two]], wish, on_wish=grant)

    before, after = told.pids[0], told.pids[-1]
    assert (before.keys(), after.keys()) == ({"one", "two"}, {"one", "two", "added"})
    assert (before["one"] != after["one"], before["two"] == after["two"]) == (True, True)
    assert told.sentences == []
    assert [is_gone(pid, seconds=0) for pid in after.values()] == [True] * 3


def test_run_with_a_wish_does_not_wait_for_ever_for_whom_it_replaces(make_child: MakeChild) -> None:
    """A worker that is stuck in a node has its drain, like at the end."""
    deaf = make_child("one", DEAF, drain_seconds=0.2)

    def wish(supervisor: Supervisor) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert wait_until(lambda: "running" in deaf.log.read_text(), seconds=10)

    told = supervise([[deaf]], wish, on_wish=lambda supervisor: supervisor.replace(make_child("one")))

    assert is_gone(told.pids[0]["one"], seconds=0)


def test_run_with_an_empty_wave_is_no_trouble(make_child: MakeChild) -> None:
    """A stack without a stand-in has nothing to start before the rest."""
    told = supervise([[], [make_child("one")]])

    assert is_gone(told.pids[0]["one"], seconds=0)


def test_run_with_a_child_that_dies_at_its_start_shows_its_last_lines(make_child: MakeChild) -> None:
    """At the start a death is no accident: no restart, the reason at once."""
    broken = make_child("broken", "raise SystemExit('no database')")

    with pytest.raises(SupervisorError) as caught:
        supervise([[make_child("fine"), make_child("slow", "import time\ntime.sleep(60)"), broken]])

    assert str(caught.value) == f"broken does not start. {broken.log} ends:\n    no database"


def test_run_with_a_child_that_keeps_dying_gives_up_loudly(
    make_child: MakeChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash loop ends the stack, with the reason, and takes the other children down."""
    monkeypatch.setattr(restarts, "DELAYS", (0.0, 0.0))
    looping = make_child("loop", "import time\nprint('boom', flush=True)\ntime.sleep(1)\nraise SystemExit(3)")
    waves = [[make_child("other"), looping]]
    pids: list[int] = []

    with pytest.raises(SupervisorError) as caught:
        supervise(waves, lambda supervisor: pids.append(supervisor.pids["other"]), ends_by_itself=True)

    assert str(caught.value) == f"loop keeps dying. {looping.log} ends:\n    boom\n    boom\n    boom"
    assert is_gone(pids[0], seconds=0)


@pytest.mark.parametrize(
    "code",
    [
        "import time\nprint('running', flush=True)\ntime.sleep(60)\n",  # ends on the SIGTERM that the lifeline sends
        DEAF,  # is ended by force when its time is over
    ],
)
def test_children_end_when_the_supervisor_is_killed(make_child: MakeChild, tmp_path: Path, code: str) -> None:
    """A kill -9 gives the supervisor no chance to end anybody."""
    make_child("orphan", code)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{REPOSITORY}"}
    supervisor = subprocess.Popen(
        [sys.executable, "-c", STACK, str(tmp_path), "orphan"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout
    orphan = int(supervisor.stdout.readline())
    assert command_of(orphan)

    supervisor.send_signal(signal.SIGKILL)
    supervisor.communicate()

    assert is_gone(orphan)
