"""Runs that read and make files: what nodes are lent, on the engine that lends it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.executions.runs import begin, outputs, row, statuses
from tests.fakes import Messages
from workflows.files.services import read_file, write_file
from workflows.models import WorkspaceFile

pytestmark = pytest.mark.django_db(transaction=True)


def config(**fields: Any) -> dict[str, Any]:
    return {"config": fields}


def test_run_hands_a_file_from_node_to_node(messages: Messages) -> None:
    """By what an output says of it."""
    run = begin(
        "start -> write -> read -> parse -> sheet",
        types={"start": "trigger", "write": "fileWrite", "read": "fileRead", "parse": "file", "sheet": "spreadsheetGeneration"},
        nodes={
            "write": config(path="out/{{start.name}}.csv", content="id,n\na,1\n"),
            "read": config(path="{{write.path}}"),
            "parse": config(operation="parseCSV", filePath="{{write}}"),
            "sheet": config(dataSource="{{parse}}", format="csv", filename="copy"),
        },
        inputs={"name": "orders"},
    )  # fmt: skip

    messages.deliver_all()

    assert statuses(run) == dict.fromkeys(("start", "write", "read", "parse", "sheet"), "completed")
    told = outputs(run)
    assert told["read"]["content"] == "id,n\na,1\n"
    assert told["parse"]["rows"] == [{"id": "a", "n": "1"}]
    assert told["sheet"]["path"] == f"runs/{run.pk}/sheet/copy.csv"
    copy = read_file(run.workspace_id, told["sheet"]["path"], max_bytes=100)
    assert copy.decode("utf-8-sig") == "id,n\r\na,1\r\n"


def test_run_reads_the_files_it_was_started_with(messages: Messages) -> None:
    run = begin(
        "docs",
        types={"docs": "files"},
        nodes={"docs": config(inputName="docs")},
        inputs={"docs": [{"name": "a.md", "text": "# One\n\nFirst."}]},
    )

    messages.deliver_all()

    assert outputs(run)["docs"]["combinedText"] == "# One\n\nFirst."


def test_run_sees_no_file_of_another_workspace(messages: Messages) -> None:
    first = begin(
        "start -> a", types={"start": "trigger", "a": "fileWrite"}, nodes={"a": config(path="a", content="x")}
    )
    second = begin("start -> a", types={"start": "trigger", "a": "fileRead"}, nodes={"a": config(path="a")})

    messages.deliver_all()

    assert statuses(first)["a"] == "completed"
    assert WorkspaceFile.objects.get().workspace_id == first.workspace_id != second.workspace_id
    assert row(second, "a").error["code"] == "file_missing"


def test_run_that_may_not_overwrite_leaves_by_its_error_port(messages: Messages) -> None:
    run = begin(
        "start -> a, a:error -> b",
        types={"start": "trigger", "a": "fileWrite", "b": "fileRead"},
        nodes={"a": config(path="a", content="new", overwrite=False), "b": config(path="a")},
    )
    write_file(run.workspace_id, "a", b"old")

    messages.deliver_all()

    assert outputs(run)["b"]["content"] == "old"
