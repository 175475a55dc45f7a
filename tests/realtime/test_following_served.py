"""The client for outsiders on the server we ship, through a network that is cut every second."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from executions import tickets
from tests.realtime.chromium import needs_chromium
from tests.realtime.cutting import cut_every
from tests.realtime.javascript import needs_node
from tests.realtime.runs import Run
from tests.realtime.served import Server, serving
from tests.stack import database_url
from tests.test_readme import block
from tests.told import read_back

WORDS = ["Grüße ", "👋🏽 ", "and so ", "on ", "— ", "日本 "]
WATCHING = Path(__file__).parent / "following/watching.mjs"


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock():
        url = database_url()
    with serving(url) as server:
        yield server


def speak(run: Run, node: str, *, seconds: float) -> str:
    """A node that says something for so long, thirty pieces a second, and returns all of it."""
    run.begin(node)
    text = ""
    for number in range(int(seconds * 30)):
        word = WORDS[number % len(WORDS)]
        run.stream(node, len(text), word)
        text += word
        time.sleep(1 / 30)
    run.finish(node, {"text": text})
    return text


IN_NODE = ["node", "--experimental-websocket", str(WATCHING)]  # of its own from Node 22 on, where the flag is no harm
IN_CHROMIUM = [sys.executable, "-m", "tests.realtime.chromium"]


@pytest.mark.parametrize(
    "where", [pytest.param("node", marks=needs_node), pytest.param("chromium", marks=needs_chromium)]
)
def test_client_misses_nothing_and_doubles_nothing(where: str, run: Run, server: Server) -> None:
    """Against the events that are stored, and the outputs."""
    with cut_every(1, server.port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/ws/executions/{run.id}/"
        token = tickets.issue(run.id, run.workspace_id)
        wanted = json.dumps({"url": url, "token": token, "nodes": ["first", "second"]})
        command = [*IN_NODE, wanted] if where == "node" else [*IN_CHROMIUM, f"http://127.0.0.1:{server.port}", wanted]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watcher:
            try:
                assert proxy.connected.wait(30), "it does not connect"
                texts = [speak(run, "first", seconds=1.5), speak(run, "second", seconds=1.5)]
                run.complete({"text": texts[1]})
                out, err = watcher.communicate(timeout=30)
            finally:
                watcher.kill()
    assert watcher.returncode == 0, err
    heard = json.loads(out)

    assert heard["events"] == read_back(run.id)
    assert [said["text"] for said in heard["texts"]] == texts
    assert all(said["pieces"] > 3 for said in heard["texts"])  # as they came, not with the outputs
    assert heard["finished"] == {"status": "completed", "outputs": {"text": texts[1]}, "error": None}
    assert heard["statuses"] == [["first", "completed"], ["second", "completed"]]
    assert heard["opened"] >= 3
    assert proxy.cuts >= 2


@needs_chromium
def test_page_of_the_readme_shows_a_run(run: Run, server: Server) -> None:
    """As it stands there: what a node says as it says it, and the outputs."""
    html = block("html", after="## Pages of your own").replace("write", "first")
    fragment = f"id={run.id}&token={tickets.issue(run.id, run.workspace_id)}"
    command = [*IN_CHROMIUM, f"http://127.0.0.1:{server.port}", fragment, html]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as page:
        try:
            text = speak(run, "first", seconds=0.3)
            run.complete({"answer": 42})
            out, err = page.communicate(timeout=30)
        finally:
            page.kill()

    assert page.returncode == 0, err
    assert [" ".join(line.split()) for line in out.split("\n") if line.strip()] == [
        "completed",
        " ".join(text.split()),
        '{"answer":42}',
    ]


@needs_node
def test_runs_of_a_workspace_are_watched_to_their_end(run: Run, server: Server) -> None:
    """Through the same cuts: the last thing that is known of a run is how it ended."""
    with cut_every(1, server.port) as proxy:
        site = f"http://127.0.0.1:{proxy.port}"
        wanted = json.dumps({"baseUrl": site, "token": tickets.issue(None, run.workspace_id)})
        command = [*IN_NODE[:-1], str(WATCHING.with_name("listing.mjs")), wanted]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watcher:
            try:
                assert proxy.connected.wait(30), "it does not connect"
                speak(run, "first", seconds=1.5)
                run.complete({})
                out, err = watcher.communicate(timeout=30)
            finally:
                watcher.kill()

    assert watcher.returncode == 0, err
    told = json.loads(out)
    assert (told["id"], told["name"], told["statuses"][-1]) == (str(run.id), "Order triage", "completed")
    assert proxy.cuts >= 1
