from __future__ import annotations

import base64
from typing import Any

import pytest

from handlers import InputError
from handlers.nodes.files import MOST_FILES
from handlers.registry import check_config
from tests.handlers.documents import made
from tests.handlers.fakes import CATALOGUE, RecordingLent, run


@pytest.fixture
def lent() -> RecordingLent:
    lent = RecordingLent()
    lent.files.write("in/a.md", b"# One\n\nFirst. Second.\n\n## Two\n\nThird.")
    lent.files.write("in/b.pdf", made.pdf("Fourth."))
    lent.files.write("in/c.png", b"\x89PNG")
    return lent


def read(lent: RecordingLent, value: Any, **config: Any) -> Any:
    return run("files", {"inputName": "docs", **config}, inputs={"docs": value}, lent=lent).data


def test_files_are_told_whole_and_in_chunks(lent: RecordingLent) -> None:
    data = read(lent, ["in/a.md", {"path": "in/b.pdf"}], chunkSize=20, chunkOverlap=0)

    assert [file["name"] for file in data["files"]] == ["a.md", "b.pdf"]
    assert data["combinedText"] == "# One\n\nFirst. Second.\n\n## Two\n\nThird.\n\n---\n\nFourth."
    assert [(chunk["content"], chunk["metadata"]["fileName"]) for chunk in data["allChunks"]] == [
        ("First. Second.", "a.md"),
        ("Third.", "a.md"),
        ("Fourth.", "b.pdf"),
    ]
    assert data["allChunks"][1]["metadata"]["heading"] == "Two"
    assert (data["fileCount"], data["totalChunkCount"]) == (2, 3)
    assert {key: data["files"][1][key] for key in ("path", "contentType", "fileType", "content", "chunkCount")} == {
        "path": "in/b.pdf",
        "contentType": "application/pdf",
        "fileType": "pdf",
        "content": "Fourth.",
        "chunkCount": 1,
    }


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ({"name": "a.txt", "text": "inline"}, "inline"),
        ({"name": "a.txt", "base64": "aW5saW5l"}, "inline"),
        ("data:text/html,<p>inline</p><script>no</script>", "inline"),
        ({"name": "a.csv", "text": "a,b\n1,2"}, "a,b\n1,2"),
    ],
)
def test_files_within_the_input_are_read(lent: RecordingLent, value: Any, content: str) -> None:
    assert read(lent, value)["files"][0]["content"] == content


@pytest.mark.parametrize("value", [None, "", []])
def test_files_that_were_not_given_are_missing_if_they_must_be_there(lent: RecordingLent, value: Any) -> None:
    with pytest.raises(InputError) as refusal:
        read(lent, value)
    data = read(lent, value, required=False)

    assert refusal.value.code == "missing_input"
    assert data == {"files": [], "allChunks": [], "combinedText": "", "fileCount": 0, "totalChunkCount": 0}


@pytest.mark.parametrize(
    ("value", "config", "code"),
    [
        ("in/b.pdf", {"allowedFileTypes": ["docx"]}, "unsupported_type"),
        ("in/c.png", {}, "unsupported_type"),
        ({"name": "a.doc", "base64": ""}, {}, "unsupported_type"),
        ({"name": "a.docx", "text": "none"}, {}, "unreadable_document"),
        ("in/none.txt", {}, "file_missing"),
        ("../in/a.md", {}, "invalid_path"),
        (["in/a.md"] * (MOST_FILES + 1), {}, "invalid_input"),
    ],
)
def test_files_that_cannot_be_read_fail_the_node(lent: RecordingLent, value: Any, config: Any, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(lent, value, **config)

    assert refusal.value.code == code


@pytest.mark.parametrize("types", [["image"], ["image/*"], ["application/pdf", "image/png"]])
def test_files_without_text_are_handed_on_where_they_are_asked_for(lent: RecordingLent, types: list[str]) -> None:
    """A picture is for another node, which takes it from here."""
    file = read(lent, "in/c.png", allowedTypes=types)["files"][0]

    assert (file["path"], file["fileType"], file["content"], file["chunks"]) == ("in/c.png", "image", "", [])


def test_files_refuse_a_type_that_is_none() -> None:
    [(field, sentence)] = check_config(CATALOGUE["files"], {"allowedFileTypes": ["pdf", "exe"]})

    assert field == "allowedFileTypes"
    assert "'exe' is no type of file" in sentence


def test_files_without_text_are_warned_of(lent: RecordingLent) -> None:
    read(lent, {"name": "scan.pdf", "base64": _base64(made.pdf(""))})

    assert [level for level, _ in lent.logs] == ["warning"]


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
