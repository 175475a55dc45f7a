"""What holds of the code as a whole. The direction of imports is told to import-linter, in `pyproject.toml`."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

import pytest

from executions.core import EventType, NodeStatus, RunStatus, state
from executions.core.statuses import WaitpointStatus
from handlers.nodes.containers import LoopType
from workflows.core.plan import EdgeType, Source

ROOT = Path(__file__).parent.parent
PACKAGES = ("handlers", "workflows", "executions", "realtime", "flowmaestro")
FRONT_DOORS = ("handlers", "workflows.core", "executions.core", "realtime.core")
LONGEST_MODULE = 400  # lines


@cache
def files() -> tuple[Path, ...]:
    """What is in the repository, or will be with the next `git add`."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a checkout")
    return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def test_modules_fit_on_a_few_screens() -> None:
    """A module that has grown beyond has a second subject."""
    long = {
        str(path.relative_to(ROOT)): len(lines(path))
        for path in files()
        if path.suffix == ".py" and "migrations" not in path.parts and len(lines(path)) > LONGEST_MODULE
    }

    assert long == {}


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"\b(?:TODO|FIXME|XXX)\b", id="what-is-left-to-do"),
        pytest.param(r"(?<![\w.])/(?:home|root|Users|work|opt)/\w|\b[A-Z]:\\\w", id="paths-of-a-machine"),
        pytest.param(r"(?i)\bpypi\.|pythonhosted\.|npmjs\.|--(?:extra-)?index-url\b", id="hosts-of-packages"),
    ],
)
def test_repository_is_free_of(pattern: str) -> None:
    """Lines that belong to one person, or to one machine: those are nobody else's to read."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip():.80}"
        for path in files()
        if path != Path(__file__)  # it names what it looks for
        for number, line in enumerate(lines(path), 1)
        if re.search(pattern, line)
    ]

    assert found == []


# ---- front doors


@pytest.mark.parametrize("door", FRONT_DOORS)
def test_front_door_says_what_each_class_and_function_behind_it_is(door: str) -> None:
    """Outsiders read no further. A dataclass or an enum gets some text from Python: what counts is what was written."""
    package = import_module(door)

    silent = [name for name in package.__all__ if is_told(value := getattr(package, name)) and not said(value)]

    assert silent == []


@pytest.mark.parametrize("door", FRONT_DOORS)
def test_front_door_lists_all_that_it_imports_in_order(door: str) -> None:
    """What is missing in `__all__` was imported for nothing, or is used behind the contract's back."""
    package = import_module(door)
    body = ast.parse(inspect.getsource(package)).body

    imported = [alias.name for node in body if isinstance(node, ast.ImportFrom) for alias in node.names]

    assert sorted(package.__all__) == sorted(imported)
    assert len(set(imported)) == len(imported)


def is_told(value: Any) -> bool:
    return inspect.isclass(value) or inspect.isfunction(value)


def said(value: Any) -> str | None:
    definition = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(value)))).body[0]
    assert isinstance(definition, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    return ast.get_docstring(definition)


# ---- tables

# Tables that are not meant for every member, and which they are for.
PARTIAL: dict[str, set[Any]] = {
    "executions.core.opening._TESTS": {LoopType.WHILE, LoopType.DO_WHILE},  # who has a condition
    "workflows.core.contexts._PARTS": {Source.LOOP, Source.PARALLEL},  # who has parts
    "executions.frames._BULK": {EventType.NODE_COMPLETED, EventType.EXECUTION_COMPLETED},  # who has an output
    "executions.waitpoints.errors.NOT_OPEN": set(WaitpointStatus) - {WaitpointStatus.OPEN},
    "flowmaestro.terminal.exits.EXIT_CODES": {*RunStatus} - {RunStatus.PENDING, RunStatus.RUNNING},
}


def modules() -> Iterator[ModuleType]:
    for package in PACKAGES:
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            if ".migrations" not in module.name and not module.name.endswith("__main__"):
                yield import_module(module.name)


def tables() -> dict[str, Mapping[Any, Any]]:
    """Every mapping of our modules whose keys are members of one enum, where it is made."""
    found: dict[int, tuple[str, Mapping[Any, Any]]] = {}
    for module in modules():
        for name, value in vars(module).items():
            if isinstance(value, Mapping) and value and is_keyed_by_enum(value) and assigns(module, name):
                found.setdefault(id(value), (f"{module.__name__}.{name}", value))
    return dict(found.values())


def is_keyed_by_enum(table: Mapping[Any, Any]) -> bool:
    kinds = {type(key) for key in table}
    return len(kinds) == 1 and issubclass(kinds.pop(), Enum)


def assigns(module: ModuleType, name: str) -> bool:
    """Imported names are told of where they come from."""
    return bool(re.search(rf"^{re.escape(name)}\b[^=\n]*=", inspect.getsource(module), re.MULTILINE))


def test_tables_keyed_by_an_enum_have_a_row_for_each_member() -> None:
    """A status or an event that is added is added everywhere, or is found here and not by a KeyError at night."""
    found = tables()

    assert {name for name in found if name.endswith(("_TRANSITIONS", "EVENT_FIELDS"))} == {
        "executions.core.statuses.RUN_TRANSITIONS",
        "executions.core.statuses.NODE_TRANSITIONS",
        "executions.core.events.EVENT_FIELDS",
    }
    assert {name: set(table) for name, table in found.items()} == {
        name: PARTIAL.get(name, set(type(next(iter(table))))) for name, table in found.items()
    }
    assert PARTIAL.keys() <= found.keys()


def test_letters_of_a_state_have_a_status_and_a_meaning_for_each_edge() -> None:
    """A letter is a row in both tables, and no two are the same."""
    letters = {name: value for name, value in vars(state).items() if name.isupper() and type(value) is int}
    del letters["FORMAT"]

    assert len(set(letters.values())) == len(letters)
    assert set(letters.values()) == state.STATUS.keys() == state.EDGES.keys()
    assert [set(row) for row in state.EDGES.values()] == [set(EdgeType)] * len(letters)
    assert set(state.STATUS.values()) == set(NodeStatus)


def test_sprite_has_a_symbol_for_each_status_of_a_node() -> None:
    """A status without one would be a blank on the live page."""
    sprite = (ROOT / "realtime/templates/realtime/icons.svg").read_text(encoding="utf-8")

    assert sorted(re.findall(r'id="s-(\w+)"', sprite)) == sorted(NodeStatus)
