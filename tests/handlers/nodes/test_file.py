from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError, InputError
from handlers.registry import check_config
from tests.handlers.documents import made
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.servers import Reply, http_server


@pytest.fixture
def lent() -> RecordingLent:
    lent = RecordingLent()
    lent.files.write("a.csv", b"id;sum\n1;2,5\n")
    lent.files.write("a.json", b'{"n": [1]}')
    lent.files.write("a.pdf", made.pdf("Only page."))
    lent.files.write("a.docx", made.docx())
    return lent


def does(lent: RecordingLent, operation: str, **config: Any) -> Any:
    data = run("fileOperations", {"operation": operation, **config}, lent=lent).data
    data.pop("file", None)
    return data


def test_file_parses_csv(lent: RecordingLent) -> None:
    assert does(lent, "parseCSV", filePath="a.csv") == {
        "rows": [{"id": "1", "sum": "2,5"}],
        "headers": ["id", "sum"],
        "rowCount": 1,
        "delimiter": ";",
    }
    assert does(lent, "parseCSV", filePath="a.csv", hasHeader=False)["rows"] == [["id", "sum"], ["1", "2,5"]]


def test_file_parses_json_and_pdf(lent: RecordingLent) -> None:
    assert does(lent, "parseJSON", filePath="a.json") == {"data": {"n": [1]}}
    assert does(lent, "parsePDF", filePath="a.pdf")["pages"] == [{"number": 1, "text": "Only page."}]


def test_file_reads_whatever_has_text(lent: RecordingLent) -> None:
    assert does(lent, "read", filePath="a.json")["content"] == '{"n": [1]}'
    assert does(lent, "read", filePath="a.docx")["content"].startswith("# Über uns")


def test_file_is_where_its_source_says(lent: RecordingLent) -> None:
    """By the field that is named, or else by the one that is filled in."""
    upload = {"name": "u.json", "text": '{"u": 1}'}
    with http_server(Reply(body=b'{"w": 1}', headers={"Content-Type": "application/json"})) as server:
        everywhere = {"filePath": "a.json", "fileUrl": f"{server.url}/w.json", "fileData": upload}

        found = [does(lent, "parseJSON", fileSource=source, **everywhere) for source in ("upload", "url", "path")]

    assert [data["data"] for data in found] == [{"u": 1}, {"w": 1}, {"n": [1]}]
    assert does(lent, "parseJSON", fileData=upload)["data"] == {"u": 1}


def test_file_tells_which_one_it_was(lent: RecordingLent) -> None:
    told = run("file", {"operation": "parseJSON", "filePath": "/a.json"}, lent=lent).data["file"]

    assert told == {"name": "a.json", "path": "a.json", "size": 10, "contentType": "application/json"}


def test_file_writes(lent: RecordingLent) -> None:
    data = does(lent, "write", outputPath="out/b.json", content={"n": 1})

    assert data == {"path": "out/b.json", "name": "b.json", "size": 7, "contentType": "application/json"}
    assert lent.files.stored["out/b.json"][0] == b'{"n":1}'
    with pytest.raises(InputError) as refusal:
        does(lent, "write", outputPath="out/b.json", content="", overwrite=False)
    assert refusal.value.code == "file_exists"


@pytest.mark.parametrize(
    ("operation", "config", "code"),
    [
        ("parseJSON", {"filePath": "a.csv"}, "unreadable_document"),
        ("parsePDF", {"filePath": "a.csv"}, "unreadable_document"),
        ("read", {"filePath": "none"}, "file_missing"),
        ("read", {}, "file_missing"),
        ("read", {"fileUrl": "file:///etc/passwd"}, "invalid_path"),
        ("write", {"outputPath": "../a"}, "invalid_path"),
    ],
)
def test_file_says_why_it_cannot(lent: RecordingLent, operation: str, config: Any, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        does(lent, operation, **config)

    assert refusal.value.code == code


def test_file_wants_to_know_which_one() -> None:
    node = CATALOGUE["file"]

    wrong = [check_config(node, config)[0][0] for config in ({}, {"operation": "write"})]

    assert wrong == ["filePath", "outputPath"]
    assert check_config(node, {"filePath": "a"}) == []
    with pytest.raises(ConfigError, match="outputPath"):
        run("file", {"operation": "write", "content": "x"})
