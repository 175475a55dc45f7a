"""The package of the README, as somebody else would write it: installed beside the engine, found, drawn, checked and run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from executions.core import RunStatus
from executions.services import start_execution
from handlers import catalogue
from handlers.registry import check_config, load
from tests.executions.runs import outputs, reread
from tests.factories import WorkspaceFactory
from tests.fakes import Messages
from tests.test_readme import block
from workflows.core import validate
from workflows.services import create_workflow, version_to_run

HEADING = "## A node type of your own"
SECONDS = 120  # on a machine that is busy with the rest of the suite


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of packages with that of the README in it, put there by pip without a network."""
    folder, site = tmp_path_factory.mktemp("shout"), tmp_path_factory.mktemp("site")
    (folder / "pyproject.toml").write_text(block("toml", after=HEADING))
    (folder / "shout.py").write_text(block("python", after=HEADING))
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *offline, "--target", str(site), str(folder)],
        check=True,
        timeout=SECONDS,
    )
    return site


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In the process of the tests, which forgets it again."""
    types, names = dict(catalogue._types), dict(catalogue._names)
    monkeypatch.syspath_prepend(str(site))
    load()
    yield
    catalogue._types, catalogue._names = types, names
    sys.modules.pop("shout", None)


def test_package_of_the_readme_is_a_node_type_of_the_catalogue(installed: None) -> None:
    """As any other: with a manual, a schema, and what is wrong with a configuration."""
    entry = catalogue["shout"].to_json()

    assert (entry["title"], entry["category"], entry["effect"]) == ("Shout", "text", "pure")
    assert str(entry["description"]).startswith("Upper-case a text.")
    assert check_config(catalogue["shout"], {}) == [("text", "Field required")]


def test_worker_finds_the_package_by_itself(site: Path) -> None:
    """A process that has it on its path, and has been told of nothing else."""
    environment = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{Path.cwd()}"}
    ask = "from handlers.registry import load; print(load()['shout'].title)"

    said = subprocess.run(
        [sys.executable, "-c", ask], env=environment, check=True, capture_output=True, timeout=SECONDS
    )

    assert said.stdout == b"Shout\n"


@pytest.mark.django_db(transaction=True)
def test_workflow_of_the_readme_runs(installed: None, messages: Messages) -> None:
    """Stored, planned, driven, and its output that of the terminal."""
    definition: dict[str, Any] = json.loads(block("json", after=HEADING))
    assert validate(definition) == []
    workflow, _ = create_workflow(WorkspaceFactory().pk, name="Hello", definition=definition)
    execution = start_execution(version_to_run(workflow), inputs={"who": "Ada"})

    messages.deliver_all()

    assert reread(execution).status == RunStatus.COMPLETED
    assert outputs(execution)["out"] == {"text": "HELLO ADA"}
