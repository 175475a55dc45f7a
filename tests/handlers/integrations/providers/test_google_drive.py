from __future__ import annotations

import json
from typing import Any

import pytest

from handlers import ConfigError, ProviderError, RateLimited
from tests.handlers.fakes import RecordingLent
from tests.handlers.integrations.played import TOKEN, ask, asked, reply
from tests.handlers.servers import Reply

FILE = {"id": "f1", "name": "a.txt", "mimeType": "text/plain", "webViewLink": "https://drive.example/f1"}
FOLDER = "application/vnd.google-apps.folder"


@pytest.mark.parametrize(
    ("operation", "parameters", "q"),
    [
        ("listFiles", {}, "trashed = false"),
        ("listFiles", {"folder": "d1", "trashed": True}, "'d1' in parents and trashed = true"),
        (
            "listFiles",
            {"q": "name = 'x' or name = 'y'"},
            "(name = 'x' or name = 'y') and trashed = false",
        ),
        ("searchFiles", {"query": "Ada's \\ plan"}, "fullText contains 'Ada\\'s \\\\ plan' and trashed = false"),
        ("searchFiles", {"query": "plan", "inName": True}, "name contains 'plan' and trashed = false"),
    ],
)
def test_drive_files_are_found_by_a_search(operation: str, parameters: dict[str, Any], q: str) -> None:
    """What an author brings is quoted: it can neither end the search nor widen it."""
    data, (request,) = ask("google-drive", operation, parameters, reply({"files": [FILE]}))

    route, query, _ = asked(request)
    assert (route, query["q"], query["pageSize"]) == ("GET /drive/v3/files", q, "100")
    assert query["supportsAllDrives"] == query["includeItemsFromAllDrives"] == "true"
    assert query["fields"].startswith("nextPageToken,files(id,name,")
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert data["items"] == [FILE]


def test_drive_files_are_listed_page_by_page() -> None:
    first, second = reply({"files": [FILE], "nextPageToken": "n2"}), reply({"files": [FILE | {"id": "f2"}]})

    data, requests = ask("gdrive", "listFiles", {"limit": 5}, first, second)

    assert [asked(request)[1].get("pageToken") for request in requests] == [None, "n2"]
    assert [item["id"] for item in data["items"]] == ["f1", "f2"]


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "query", "body"),
    [
        ("getFile", {"fileId": "f1", "fields": "*"}, "GET /drive/v3/files/f1", {"fields": "*"}, None),
        (
            "createFolder",
            {"folderName": "New", "parentId": "d1"},
            "POST /drive/v3/files",
            {},
            {"name": "New", "mimeType": FOLDER, "parents": ["d1"]},
        ),
        (
            "moveFile",
            {"id": "f1", "folder": "d2", "fromFolderId": "d1"},
            "PATCH /drive/v3/files/f1",
            {"addParents": "d2", "removeParents": "d1"},
            None,
        ),
        ("copyFile", {"fileId": "f1", "name": "b"}, "POST /drive/v3/files/f1/copy", {}, {"name": "b"}),
        (
            "shareFile",
            {"fileId": "f1", "email": "ada@example.com", "role": "writer", "sendNotificationEmail": False},
            "POST /drive/v3/files/f1/permissions",
            {"sendNotificationEmail": "false"},
            {"role": "writer", "type": "user", "emailAddress": "ada@example.com"},
        ),
        ("deleteFile", {"fileId": "f1"}, "DELETE /drive/v3/files/f1", {}, None),
    ],
)
def test_drive_operation_sends_what_google_asks_for(
    operation: str, parameters: dict[str, Any], route: str, query: dict[str, str], body: Any
) -> None:
    data, (request,) = ask("google-drive", operation, parameters, reply(FILE))

    sent, told, content = asked(request)
    assert (sent, content) == (route, body)
    assert query.items() <= told.items()
    assert told["supportsAllDrives"] == "true"
    assert data == FILE


@pytest.mark.parametrize(
    ("source", "kind", "content"),
    [
        ({"content": "Grün"}, "text/plain; charset=utf-8", "Grün".encode()),
        ({"content": "a,b", "mimeType": "text/csv"}, "text/csv", b"a,b"),
        ({"file": "out/a.pdf"}, "application/pdf", b"%PDF"),
        ({"file": {"path": "out/a.pdf", "size": 4}}, "application/pdf", b"%PDF"),
    ],
)
def test_drive_file_is_uploaded_with_what_is_told_of_it(source: Any, kind: str, content: bytes) -> None:
    """Two parts of one body: JSON, and the bytes."""
    lent = RecordingLent()
    lent.files.write("out/a.pdf", b"%PDF")

    data, (request,) = ask(
        "google-drive", "createFile", {"fileName": "a", "folderId": "d1", **source}, reply(FILE), lent=lent
    )

    content_type, _, boundary = request.headers["content-type"].partition("; boundary=")
    before, told, given, after = request.body.split(f"--{boundary}".encode())
    head, _, body = given.partition(b"\r\n\r\n")
    assert (asked(request)[0], asked(request)[1]["uploadType"]) == ("POST /upload/drive/v3/files", "multipart")
    assert content_type == "multipart/related"
    assert (before, after) == (b"", b"--\r\n")
    assert json.loads(told.partition(b"\r\n\r\n")[2]) == {"name": "a", "parents": ["d1"]}
    assert (head.strip(), body) == (f"Content-Type: {kind}".encode(), content + b"\r\n")
    assert data == FILE


@pytest.mark.parametrize("source", [{}, {"file": "a", "content": "b"}])
def test_drive_upload_has_one_content(source: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="Say either file or content"):
        ask("google-drive", "uploadFile", {"name": "a", **source}, reply(FILE))


@pytest.mark.parametrize(
    ("operation", "parameters", "path"),
    [
        ("downloadFile", {}, "/drive/v3/files/f1?alt=media&supportsAllDrives=true"),
        ("exportFile", {"mimeType": "application/pdf"}, "/drive/v3/files/f1/export?mimeType=application%2Fpdf"),
    ],
)
def test_drive_file_becomes_one_of_the_workspace(operation: str, parameters: dict[str, str], path: str) -> None:
    lent = RecordingLent()
    content = Reply(headers={"Content-Type": "application/pdf; x=1"}, body=b"%PDF\x00")

    data, (request,) = ask(
        "google-drive", operation, {"fileId": "f1", "saveAs": "in/a.pdf", **parameters}, content, lent=lent
    )

    assert request.path == path
    assert lent.files.stored["in/a.pdf"] == (b"%PDF\x00", "application/pdf")
    assert data["path"] == "in/a.pdf"


def test_drive_file_that_there_is_not_is_stored_nowhere() -> None:
    """What Google says of it is JSON, and no file."""
    lent = RecordingLent()
    refusal = {"error": {"code": 404, "message": "File not found: f1.", "errors": [{"reason": "notFound"}]}}

    with pytest.raises(ProviderError, match=r"File not found: f1\.") as failure:
        ask("google-drive", "downloadFile", {"fileId": "f1", "path": "a"}, reply(refusal, status=404), lent=lent)

    assert failure.value.code == "not_found"
    assert lent.files.stored == {}


def test_drive_rate_limit_comes_as_403() -> None:
    refusal = {"error": {"code": 403, "message": "Slow", "errors": [{"reason": "userRateLimitExceeded"}]}}

    with pytest.raises(RateLimited):
        ask("google-drive", "getFile", {"fileId": "f1"}, reply(refusal, status=403))
