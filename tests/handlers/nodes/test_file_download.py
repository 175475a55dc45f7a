from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

import pytest

from handlers.errors import EgressRefused, InputError, ProviderError
from handlers.ports import Credential
from handlers.registry import check_config
from tests.handlers.cancelling import cancelled
from tests.handlers.fakes import CATALOGUE, EXECUTION, RecordingLent, run
from tests.handlers.servers import Reply, http_server, read_request, socket_server, stay_silent

PDF = {"Content-Type": "application/pdf"}


def download(config: dict[str, Any], reply: Reply, lent: RecordingLent | None = None) -> tuple[Any, RecordingLent]:
    lent = lent or RecordingLent()
    with http_server(reply) as server:
        return run("fileDownload", {"url": f"{server.url}/dir/report.pdf", **config}, lent=lent).data, lent


def test_file_download_stores_the_file_in_the_folder_of_the_run() -> None:
    told, lent = download({}, Reply(headers=PDF, body=b"%PDF"))

    path = f"runs/{EXECUTION}/node/report.pdf"
    assert told.pop("url").endswith("/dir/report.pdf")
    assert told == {"path": path, "name": "report.pdf", "size": 4, "contentType": "application/pdf"}
    assert lent.files.stored == {path: (b"%PDF", "application/pdf")}


@pytest.mark.parametrize(
    ("filename", "header", "path"),
    [
        ("mine.pdf", "attachment; filename=theirs.pdf", f"runs/{EXECUTION}/node/mine.pdf"),
        ("mine", "", f"runs/{EXECUTION}/node/mine.pdf"),
        (None, "attachment; filename=theirs.pdf", f"runs/{EXECUTION}/node/theirs.pdf"),
        (None, "attachment; filename*=UTF-8''%2e%2e%2f%2e%2e%2fetc%2fpasswd", f"runs/{EXECUTION}/node/passwd.pdf"),
        (None, 'attachment; filename="..\\\\..\\\\boot.ini"', f"runs/{EXECUTION}/node/boot.ini"),
        ("in/mine.pdf", "", "in/mine.pdf"),
    ],
)
def test_file_download_is_called_what_the_author_says_or_the_server(filename: Any, header: str, path: str) -> None:
    """Path traversal by the server leads to a name in the run's folder."""
    told, _ = download({"filename": filename}, Reply(headers={**PDF, "Content-Disposition": header}))

    assert told["path"] == path


def test_file_download_to_a_path_that_leads_out_is_refused() -> None:
    with pytest.raises(InputError) as failure:
        download({"filename": "a/../../b"}, Reply())

    assert failure.value.code == "invalid_path"


def test_file_download_leaves_a_file_alone_that_may_not_be_replaced() -> None:
    lent = RecordingLent()
    lent.files.write("in/mine.pdf", b"old")

    with pytest.raises(InputError) as failure:
        download({"filename": "in/mine.pdf", "overwrite": False}, Reply(body=b"new"), lent)

    assert (failure.value.code, lent.files.stored["in/mine.pdf"][0]) == ("file_exists", b"old")


def test_file_download_that_is_too_large_is_not_read_to_its_end() -> None:
    sent = 0

    def pour(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with suppress(OSError):
            while sent < 50_000_000:
                sent += connection.send(b"x" * 65536)

    with socket_server(pour) as (host, port), pytest.raises(InputError) as failure:
        run("fileDownload", {"url": f"http://{host}:{port}/", "maxSize": 1000})

    assert failure.value.code == "response_too_large"
    assert sent < 50_000_000


@pytest.mark.parametrize(
    ("allowed", "is_stored"),
    [
        ([], True),
        (["application/pdf"], True),
        ("image/png, application/PDF", True),
        (["application/*"], True),
        (["image/*"], False),
        (["text/html"], False),
    ],
)
def test_file_download_takes_the_types_that_are_allowed(allowed: Any, is_stored: bool) -> None:
    lent = RecordingLent()
    if is_stored:
        download({"allowedContentTypes": allowed}, Reply(headers=PDF), lent)
    else:
        with pytest.raises(InputError, match="application/pdf"):
            download({"allowedContentTypes": allowed}, Reply(headers=PDF), lent)

    assert bool(lent.files.stored) is is_stored


def test_file_download_of_no_success_stores_nothing() -> None:
    lent = RecordingLent()

    with pytest.raises(ProviderError):
        download({}, Reply(status=404, body=b"gone"), lent)

    assert lent.files.stored == {}


def test_file_download_sends_the_credential_that_it_is_given() -> None:
    key = Credential(id="c", kind="bearer", name="Mine", values={"token": "t0ken"})
    with http_server(Reply()) as server:
        run("fileDownload", {"url": server.url, "connectionId": "c"}, lent=RecordingLent(credentials=[key]))

    assert server.received[0].headers["authorization"] == "Bearer t0ken"


@pytest.mark.usefixtures("default_policy")
def test_file_download_from_inside_is_refused() -> None:
    with pytest.raises(EgressRefused):
        run("fileDownload", {"url": "http://169.254.169.254/latest/user-data"})


def test_file_download_cancelled_ends_at_once() -> None:
    lent = RecordingLent()
    with socket_server(stay_silent) as (host, port), cancelled(lent):
        run("fileDownload", {"url": f"http://{host}:{port}/"}, lent=lent)


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({}, ["url"]),
        ({"url": "http://a.test", "maxSize": 100_000_001}, ["maxSize"]),
        ({"url": "http://a.test", "timeout": 10}, ["timeout"]),
    ],
)
def test_file_download_as_drawn_is_checked(config: dict[str, Any], fields: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["fileDownload"], config)] == fields
