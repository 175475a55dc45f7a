"""Workflows in files that call each other. A file names another by its path; what is stored has that one's id there.

    {"type": "subWorkflow", "config": {"workflow": "./order-triage.json", "inputs": {…}}}

The path ends in `.json` and is seen from the file that has it. Ids differ from one installation to the next, so no file
holds one of a workflow that lies beside it. The road not taken is to look workflows up by name: names may be changed,
and two may have the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlers import JSONObject
from handlers.nodes.subworkflow import WORKFLOW_KEYS, names_a_file
from handlers.registry import catalogue


class BadFile(ValueError):
    """A file does not hold a definition, or what it calls is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowFile:
    """A definition as it lies in its file, with the files that its nodes call."""

    path: Path
    definition: JSONObject  # with a name: that of the file when it has none of its own
    calls: Mapping[str, Path]  # by what is written for them

    def linked(self, ids: Mapping[Path, str]) -> JSONObject:
        """The definition with the workflows' *ids* in place of their files."""
        definition = deepcopy(self.definition)
        for config, key in _callers(definition):
            if config[key] in self.calls:
                config[key] = ids[self.calls[config[key]]]
        return definition


def store_file(path: Path, store: Callable[[JSONObject], str]) -> str:
    """The id of the workflow in the file at *path*. *store* stores a definition: first those of the files it calls.

    Raises BadFile, and what *store* raises.
    """
    ids: dict[Path, str] = {}
    for file in read_files(path):
        ids[file.path] = store(file.linked(ids))
    return ids[path.resolve()]


def read_files(path: Path) -> list[WorkflowFile]:
    """The file at *path* and all that it calls, each once and after those that it calls itself. Raises BadFile."""
    files: dict[Path, WorkflowFile] = {}
    _read(path.resolve(), [], files)
    return list(files.values())


def _read(path: Path, callers: list[Path], files: dict[Path, WorkflowFile]) -> None:
    if path in callers:
        circle = " → ".join(file.name for file in [*callers[callers.index(path) :], path])
        raise BadFile(f"{circle}: files cannot call each other in a circle, as each needs the id of the next; use ids")
    if path in files:
        return
    file = _file(path, called_by=callers[-1] if callers else None)
    for called in file.calls.values():
        _read(called, [*callers, path], files)
    files[path] = file


def _file(path: Path, *, called_by: Path | None) -> WorkflowFile:
    whose = f" (called by {called_by.name})" if called_by else ""
    try:
        definition = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadFile(f"{path}{whose}: {error}") from error
    if not isinstance(definition, dict):
        raise BadFile(f"{path}{whose} holds no JSON object.")
    definition.setdefault("name", path.stem)
    written = {config[key] for config, key in _callers(definition)}
    return WorkflowFile(
        path=path,
        definition=definition,
        calls={name: (path.parent / name).resolve() for name in sorted(written)},
    )


def _callers(definition: JSONObject) -> Iterator[tuple[dict[str, Any], str]]:
    """The configurations that name a file, each with the key it does so under. Flaws are left to validation."""
    drawn: Any = definition.get("nodes")
    nodes: Any = drawn.values() if isinstance(drawn, dict) else drawn if isinstance(drawn, list) else ()
    place = "data" if isinstance(drawn, list) else "config"  # the editor's format, the stored one
    for node in nodes:
        config = node.get(place) if isinstance(node, dict) and _is_sub_workflow(node.get("type")) else None
        if isinstance(config, dict):
            yield from ((config, key) for key in WORKFLOW_KEYS if names_a_file(config.get(key)))


def _is_sub_workflow(kind: object) -> bool:
    return isinstance(kind, str) and kind in catalogue and catalogue[kind].delegates
