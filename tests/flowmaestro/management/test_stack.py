"""The command line on a stack of its own, as somebody at a terminal has it. The tests of this file go from up to down."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowmaestro.embedded import socket_dir
from flowmaestro.embedded.places import PUBLIC, named_data
from flowmaestro.embedded.processes import command_of, wait_until
from flowmaestro.supervisor import StackState, read

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(sys.version_info >= (3, 13), reason="the embedded Redis has no wheel for this Python"),
]
REPOSITORY = Path(__file__).parents[3]
SECONDS = 180  # for one command, on a machine that is busy with the rest of the suite
GREETING = {
    "name": "Greeting",
    "nodes": {
        "who": {"type": "input", "name": "Who", "config": {"inputName": "name"}, "position": {"x": 0, "y": 0}},
        "greet": {
            "type": "output",
            "name": "Greet",
            "config": {"outputName": "greeting", "value": "Hello, {{who.name}}!"},
            "position": {"x": 200, "y": 0},
        },
    },
    "edges": [{"id": "e", "source": "who", "target": "greet"}],
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("stack") / "home"
    yield home
    flowmaestro(home, "down")
    data = named_data(home)
    if data.is_relative_to(PUBLIC):
        shutil.rmtree(data.parent, ignore_errors=True)


def start(home: Path, *words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    """A command in an environment that names no server, no key and nothing of the suite's."""
    environment = {
        "PATH": os.environ["PATH"],
        "FLOWMAESTRO_HOME": str(home),
        "FLOWMAESTRO_LEASE_SECONDS": "2",  # a killed worker's runs go on soon
        "FLOWMAESTRO_SWEEP_MS": "300",
    }
    return subprocess.Popen(
        [sys.executable, str(REPOSITORY / "manage.py"), *words],
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def flowmaestro(home: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, output and error output, once both have been closed by everybody who had them."""
    command = start(home, *words)
    output, errors = command.communicate(timeout=SECONDS)
    return command.returncode, output, errors


@pytest.fixture(scope="module")
def up(home: Path) -> StackState:
    """The stack, detached: a caller that reads our output until its end is not kept waiting."""
    code, output, errors = flowmaestro(home, "up", "--detach")
    assert code == 0, errors
    state = read(home)
    assert state is not None
    assert output.splitlines()[0] == f"FlowMaestro is up at {state.url}"
    return state


def test_up_has_a_web_process_and_two_workers_and_a_key_for_us_alone(home: Path, up: StackState) -> None:
    """What the banner promises is there."""
    assert (up.is_ready, sorted(up.children)) == (True, ["web", "worker-1", "worker-2"])
    assert all(command_of(pid) for pid in up.children.values())
    assert (home / "api-key").stat().st_mode & 0o777 == 0o600
    assert (home / "api-key").read_text().startswith("fm_live_")


def test_up_when_it_is_up_says_where(home: Path, up: StackState) -> None:
    """Somebody who has forgotten gets the address instead of an error."""
    answer = flowmaestro(home, "up")

    assert answer == (0, f"FlowMaestro is already up at {up.url} (process {up.pid}).\n", "")


def test_status_of_what_is_up_is_zero(home: Path, up: StackState) -> None:
    """For scripts that wait for it."""
    code, output, _ = flowmaestro(home, "status")

    assert (code, output.splitlines()[0]) == (0, f"FlowMaestro is up at {up.url}")


def test_doctor_finds_the_stack_well(home: Path, up: StackState) -> None:
    """It fails only for what has to be mended; a missing language model is worth a warning."""
    code, output, _ = flowmaestro(home, "doctor")

    found = dict(line.split(": ", 1) for line in output.splitlines() if not line.startswith(" "))
    assert code == 0, output
    assert (found["ok    web"], found["ok    workers"]) == (up.url, "2 at work")
    assert "warn  language model" in found


def test_run_of_a_file_gives_its_outputs_to_a_pipe(home: Path, up: StackState, tmp_path: Path) -> None:
    """Progress goes to the error output, so that the outputs can be piped on."""
    file = tmp_path / "greeting.json"
    file.write_text(json.dumps(GREETING))

    code, output, progress = flowmaestro(home, "run", str(file), "--input", "name=Ada")

    assert (code, json.loads(output)) == (0, {"greeting": "Hello, Ada!"})
    assert progress.splitlines()[0] == "Greeting · 2 nodes"
    assert progress.splitlines()[-1].split("  ")[-1].startswith("Greeting completed in ")


def test_run_that_fails_says_so_by_its_exit_code(home: Path, up: StackState, tmp_path: Path) -> None:
    """A script need not read the words."""
    broken = json.loads(json.dumps(GREETING))
    broken["name"] = "Broken"
    broken["nodes"]["greet"]["config"] |= {"format": "number"}
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(broken))

    code, output, progress = flowmaestro(home, "run", str(file), "--input", "name=Ada")

    assert (code, json.loads(output)) == (1, {})
    assert "Broken failed in " in progress.splitlines()[-1]


def test_runs_are_listed_shown_and_followed_once_they_are_over(home: Path, up: StackState) -> None:
    """Whoever comes late reads the same lines, and has the same outputs and exit code."""
    listed = json.loads(flowmaestro(home, "executions", "list", "--json")[1])
    greeting = next(run["id"] for run in listed if run["workflow_name"] == "Greeting")

    code, output, progress = flowmaestro(home, "executions", "tail", greeting)
    failed, shown, _ = flowmaestro(home, "executions", "tail", "last")

    assert (code, json.loads(output)) == (0, {"greeting": "Hello, Ada!"})
    assert progress.splitlines()[0] == "Greeting · 2 nodes"
    assert (failed, json.loads(shown)) == (1, {})


ASKING = {
    "name": "Asking",
    "nodes": {
        "start": {"type": "trigger", "name": "Start", "config": {}},
        "ask": {
            "type": "humanReview",
            "name": "Ask",
            "config": {"prompt": "How many?", "inputType": "number", "variableName": "n", "validation": {"max": 10}},
        },
        "told": {
            "type": "output",
            "name": "Told",
            "config": {"outputName": "n", "value": "{{ask.n}}", "format": "json"},
        },
    },
    "edges": [{"id": "e1", "source": "start", "target": "ask"}, {"id": "e2", "source": "ask", "target": "told"}],
}


@pytest.fixture
def asking(tmp_path: Path) -> str:
    file = tmp_path / "asking.json"
    file.write_text(json.dumps(ASKING))
    return str(file)


def test_run_that_asks_is_answered_at_the_prompt(home: Path, up: StackState, asking: str) -> None:
    """What is no number, and what the server refuses, is asked for again."""
    ours, theirs = pty.openpty()
    os.write(ours, b"many\n11\n7\n")

    command = start(home, "run", asking, stdin=theirs)
    output, progress = command.communicate(timeout=SECONDS)
    for end in (ours, theirs):
        os.close(end)

    assert (command.returncode, json.loads(output)) == (0, {"n": 7}), progress
    # What is typed is not among what is printed, so the next words follow each prompt.
    assert re.findall(r"a number > +([A-Z].*\.)", progress) == ["It is no number.", "The answer must be at most 10."]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl to send the request with")
def test_run_that_asks_where_nobody_sits_says_how_to_answer(home: Path, up: StackState, asking: str) -> None:
    """Its exit code says that it is left paused; the request that it names lets it go on."""
    code, output, progress = flowmaestro(home, "run", asking)

    [request] = [line for line in progress.splitlines() if line.strip().startswith("curl")]
    answered = subprocess.run(
        ["sh", "-c", f'KEY=$(cat "$1"); {request}', "sh", str(home / "api-key")],
        capture_output=True,
        text=True,
        check=True,
        timeout=SECONDS,
    )
    assert (code, json.loads(output)) == (4, None)
    assert json.loads(answered.stdout)["data"]["waitpoint"]["status"] == "completed"


def test_demo_goes_through_the_death_of_both_workers(home: Path, up: StackState) -> None:
    """It asks for its stand-in, and keeps following whatever happens behind the socket."""
    demo = start(home, "demo")
    assert demo.stdout is not None
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if "│ " in line:  # the reply is being written
            break
    state = read(home)
    assert state is not None
    for name in ("worker-1", "worker-2"):
        os.kill(state.children[name], signal.SIGKILL)

    rest, errors = demo.communicate(timeout=SECONDS)

    assert demo.returncode == 0, errors
    assert "Order triage completed in " in rest
    assert any("local stand-in" in line for line in seen)
    assert rest.count("\n  Dear Marta Nowak,\n") == 1


def test_down_leaves_nothing_behind(home: Path, up: StackState) -> None:
    """No process, no socket, no state that is not true."""
    state = read(home)
    assert state is not None

    code, output, _ = flowmaestro(home, "down")

    assert (code, output) == (0, "FlowMaestro has stopped.\n")
    assert [command_of(pid) for pid in (state.pid, *state.children.values())] == [""] * (len(state.children) + 1)
    assert not socket_dir(home).exists()
    assert not (home / "up.json").exists()
    assert flowmaestro(home, "status")[0] == 1


def test_up_in_the_foreground_ends_with_ctrl_c(home: Path) -> None:
    """The second start has nothing to make; a signal while it serves is an orderly end."""
    serving = start(home, "up", "--workers", "1")
    assert serving.stdout is not None
    banner = []
    for line in serving.stdout:
        banner.append(line)
        if line == "Stop it with Ctrl-C.\n":
            break
    state = read(home)
    assert state is not None

    serving.send_signal(signal.SIGINT)
    rest, errors = serving.communicate(timeout=SECONDS)

    assert (serving.returncode, rest, errors) == (0, "", "")
    assert wait_until(lambda: not any(map(command_of, state.children.values())), seconds=0)
    assert read(home) is None
