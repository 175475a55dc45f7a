from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowmaestro.workflow_files import BadFile, read_files, store_file
from handlers import JSONObject


def calling(*names: str, key: str = "workflow") -> JSONObject:
    nodes: JSONObject = {f"n{at}": {"type": "subWorkflow", "config": {key: name}} for at, name in enumerate(names)}
    return {"nodes": nodes, "edges": []}


def write(folder: Path, **files: Any) -> None:
    for name, definition in files.items():
        path = folder / f"{name.replace('__', '/')}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(definition if isinstance(definition, str) else json.dumps(definition), encoding="utf-8")


def stored(path: Path) -> dict[str, JSONObject]:
    """What was stored for the file at *path*, in that order, by the ids it was given."""
    found: dict[str, JSONObject] = {}

    def store(definition: JSONObject) -> str:
        found[f"id-{len(found) + 1}"] = definition
        return list(found)[-1]

    assert store_file(path, store) == list(found)[-1]
    return found


def test_file_that_calls_others_is_stored_after_them_with_their_ids(tmp_path: Path) -> None:
    """Each once, however many call it; a name is seen from the file that has it."""
    write(
        tmp_path,
        top=calling("./parts/middle.json", "parts/leaf.json"),
        parts__middle=calling("leaf.json"),
        parts__leaf={"name": "Leaf", "nodes": {}},
    )

    found = stored(tmp_path / "top.json")

    assert found == {
        "id-1": {"name": "Leaf", "nodes": {}},
        "id-2": {**calling("id-1"), "name": "middle"},
        "id-3": {**calling("id-2", "id-1"), "name": "top"},
    }


@pytest.mark.parametrize("key", ["workflow", "workflowId"])
def test_files_are_named_under_both_keys(tmp_path: Path, key: str) -> None:
    """As the handler takes them."""
    write(tmp_path, top=calling("leaf.json", key=key), leaf={})

    assert stored(tmp_path / "top.json")["id-2"] == {**calling("id-1", key=key), "name": "top"}


def test_files_are_named_in_the_editors_format_too(tmp_path: Path) -> None:
    """There, nodes are a list, and their configuration is called data."""
    node = {"id": "a", "type": "subWorkflow", "data": {"workflow": "leaf.json"}}
    write(tmp_path, top={"nodes": [node]}, leaf={})

    nodes: Any = stored(tmp_path / "top.json")["id-2"]["nodes"]

    assert nodes == [{**node, "data": {"workflow": "id-1"}}]


@pytest.mark.parametrize("name", ["0190a0b1-c2d3-7e4f-8a9b-0c1d2e3f4a5b", "{{inputs.which}}.json", "Order triage", 7])
def test_what_names_no_file_stays_as_it_is(tmp_path: Path, name: Any) -> None:
    """An id of this installation, and what is only known when the node runs."""
    write(tmp_path, top=calling(name))

    assert stored(tmp_path / "top.json") == {"id-1": {**calling(name), "name": "top"}}


@pytest.mark.parametrize(
    "definition",
    [
        {"nodes": {"a": {"type": "transform", "config": {"workflow": "leaf.json"}}}},  # not its to name
        {"nodes": {"a": {"type": "subWorkflow"}, "b": None, "c": {"type": 7}, "d": {"config": []}}},
        {"nodes": [None, {"type": "subWorkflow", "data": "leaf.json"}]},
        {"nodes": "leaf.json"},
        {},
    ],
)
def test_flaws_are_left_to_validation(tmp_path: Path, definition: JSONObject) -> None:
    """Which tells all of them at once."""
    write(tmp_path, top=definition)

    assert [file.definition for file in read_files(tmp_path / "top.json")] == [{**definition, "name": "top"}]


def test_file_that_is_called_and_is_not_there_is_named_with_its_caller(tmp_path: Path) -> None:
    """The one who reads the message has only seen the file they named."""
    write(tmp_path, top=calling("leaf.json"))

    with pytest.raises(BadFile) as caught:
        read_files(tmp_path / "top.json")

    path = tmp_path / "leaf.json"
    assert str(caught.value) == f"{path} (called by top.json): [Errno 2] No such file or directory: '{path}'"


@pytest.mark.parametrize(("text", "why"), [("[]", "holds no JSON object"), ("{", "Expecting property name")])
def test_file_that_holds_no_definition_is_refused(tmp_path: Path, text: str, why: str) -> None:
    write(tmp_path, top=text)

    with pytest.raises(BadFile, match=why):
        read_files(tmp_path / "top.json")


@pytest.mark.parametrize(
    ("first", "circle"), [("a", "a.json → b.json → c.json → a.json"), ("own", "own.json → own.json")]
)
def test_files_that_call_each_other_in_a_circle_are_refused(tmp_path: Path, first: str, circle: str) -> None:
    """None of them could be stored first. With ids, a workflow may well call itself."""
    write(tmp_path, a=calling("b.json"), b=calling("c.json"), c=calling("a.json"), own=calling("own.json"))

    with pytest.raises(BadFile, match=f"^{circle}: files cannot call each other in a circle"):
        read_files(tmp_path / f"{first}.json")
