from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import AsyncRequestFactory, Client
from django.utils import timezone

from tests.doors import Api, data, error
from tests.factories import MemberFactory, WorkspaceFileFactory
from workflows.files import links
from workflows.files.links import Link, Purpose
from workflows.files.transfers import attachment
from workflows.models import WorkspaceFile
from workflows.workspaces.roles import Role


def put(api: Api, path: str, content: bytes, query: str = "", **headers: str) -> Any:
    headers = {"Authorization": f"Bearer {api.text}", **headers}
    return api.client.generic("PUT", f"/api/v1/files/content/{path}{query}", content, headers=headers)


def form(api: Api, **fields: Any) -> Any:
    return api.client.post("/api/v1/files", fields, headers={"Authorization": f"Bearer {api.text}"})


def body(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def linked(api: Api, path: str, **more: Any) -> str:
    return urlsplit(data(api.post("/files/links", {"path": path, **more}), 201)["url"]).path


class TestList:
    def test_files_listed_are_the_workspaces_by_path(self, api: Api, stranger: Api) -> None:
        for path in ("b.txt", "a/2.csv", "a/10.csv", "ab"):
            WorkspaceFileFactory(workspace=api.workspace, path=path)
        WorkspaceFileFactory(workspace=stranger.workspace, path="a/theirs")

        response = api.get("/files")

        assert [one["path"] for one in data(response)] == ["a/10.csv", "a/2.csv", "ab", "b.txt"]
        assert {key: value for key, value in data(response)[0].items() if not key.endswith("_at")} == {
            "path": "a/10.csv",
            "name": "10.csv",
            "size": 7,
            "content_type": "text/csv",
            "sha256": "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73",
        }

    @pytest.mark.parametrize(
        ("prefix", "paths"), [("a/", ["a/1", "a/2"]), ("a", ["a/1", "a/2", "a%b"]), ("a%", ["a%b"]), ("c", [])]
    )
    def test_files_listed_begin_with_the_prefix(self, api: Api, prefix: str, paths: list[str]) -> None:
        """Which is text, and no pattern."""
        for path in ("a/1", "a/2", "a%b", "b/a"):
            WorkspaceFileFactory(workspace=api.workspace, path=path)

        found = [one["path"] for one in data(api.get("/files", {"prefix": prefix}))]

        assert sorted(found) == sorted(paths)

    @pytest.mark.parametrize("number", [1, 3])
    def test_files_listed_cost_the_same_however_many(
        self, api: Api, django_assert_num_queries: Any, number: int
    ) -> None:
        WorkspaceFileFactory.create_batch(number, workspace=api.workspace)
        api.get("/files")  # notes the use of the key, once a minute

        with django_assert_num_queries(3):
            assert len(data(api.get("/files"))) == number


class TestUpload:
    def test_file_sent_by_a_form_is_stored(self, api: Api) -> None:
        """Under the name it was sent with, or the path that is asked for."""
        named = data(form(api, file=SimpleUploadedFile("Bericht.pdf", b"%PDF", "application/pdf")), 201)
        placed = data(form(api, file=SimpleUploadedFile("x", b"{}", "application/json"), path="in/x.json"), 201)

        assert (named["path"], named["size"], named["content_type"]) == ("Bericht.pdf", 4, "application/pdf")
        assert (placed["path"], placed["content_type"]) == ("in/x.json", "application/json")

    def test_file_put_is_stored_under_its_path(self, api: Api) -> None:
        stored = data(put(api, "2026/M%C3%A4rz/a.bin", b"\0\xff", **{"Content-Type": "image/png"}), 201)

        assert (stored["path"], stored["content_type"]) == ("2026/März/a.bin", "image/png")
        assert body(api.get("/files/content/2026/März/a.bin")) == b"\0\xff"

    def test_file_that_is_there_is_replaced_only_if_asked(self, api: Api) -> None:
        put(api, "a.txt", b"first")

        refused = error(put(api, "a.txt", b"second"), 409, "file_exists")
        error(form(api, file=SimpleUploadedFile("a.txt", b"third")), 409, "file_exists")
        before = body(api.get("/files/content/a.txt"))
        data(put(api, "a.txt", b"fourth", "?overwrite=true"), 201)

        assert refused["details"] == {"path": "a.txt"}
        assert (before, body(api.get("/files/content/a.txt"))) == (b"first", b"fourth")

    @pytest.mark.parametrize("path", ["..%2fa", "a/..%2f..%2fb", "%2fetc/passwd", "a%5cb", "a%00b", "c:%2fa", "a//b"])
    def test_path_that_leads_elsewhere_is_refused(self, api: Api, path: str) -> None:
        refused = error(put(api, path, b"x"), 400, "validation_error")

        assert refused["details"]["fields"][0]["field"] == "path"
        assert not WorkspaceFile.objects.exists()

    def test_file_too_large_is_refused(self, api: Api, settings: LazySettings) -> None:
        """By what it says of itself, and by what comes."""
        settings.FLOWMAESTRO_MAX_FILE_BYTES = 10

        refused = error(put(api, "a", b"x" * 11), 413, "payload_too_large")
        error(form(api, file=SimpleUploadedFile("a", b"x" * 11)), 413, "payload_too_large")

        assert refused["details"] == {"size": 11, "max_size": 10}
        assert not WorkspaceFile.objects.exists()

    def test_file_larger_than_other_bodies_may_be_is_taken(self, api: Api, settings: LazySettings) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

        assert data(put(api, "a", b"x" * 11), 201)["size"] == 11
        assert data(form(api, file=SimpleUploadedFile("b", b"x" * 11)), 201)["size"] == 11

    def test_workspace_without_room_is_told_so(self, api: Api, settings: LazySettings) -> None:
        settings.FLOWMAESTRO_MAX_WORKSPACE_FILE_BYTES = 5

        assert error(put(api, "a", b"123456"), 409, "quota_exceeded")["details"] == {
            "used": 0,
            "quota": 5,
            "needed": 6,
        }

    def test_form_without_a_file_is_refused(self, api: Api) -> None:
        assert error(form(api, path="a"), 400, "validation_error")["details"]["fields"][0]["field"] == "file"


class TestDownload:
    @pytest.mark.parametrize(
        ("content_type", "told"),
        [
            ("image/png", "image/png"),
            ("text/html", "application/octet-stream"),
            ("image/svg+xml", "application/octet-stream"),
            ("application/xhtml+xml", "application/octet-stream"),
            ("text/javascript", "application/octet-stream"),
        ],
    )
    def test_file_downloaded_is_nothing_that_a_browser_shows(self, api: Api, content_type: str, told: str) -> None:
        """Who may upload must not get a page on our site."""
        WorkspaceFileFactory(workspace=api.workspace, path='a/"x;\u00fc.html', content_type=content_type)

        response = api.get('/files/content/a/"x;\u00fc.html')

        assert body(response) == b"content"
        assert response["Content-Type"] == told
        assert response["Content-Disposition"] == "attachment; filename*=utf-8''%22x%3B%C3%BC.html"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response["Cache-Control"] == "private, no-store"
        assert response["Content-Length"] == "7"

    def test_file_of_another_workspace_is_not_there(self, api: Api, stranger: Api) -> None:
        WorkspaceFileFactory(workspace=stranger.workspace, path="a")

        error(api.get("/files/content/a"), 404, "resource_not_found")
        error(api.delete("/files/content/a"), 404, "resource_not_found")
        error(api.post("/files/links", {"path": "a"}), 404, "resource_not_found")

    def test_file_deleted_is_gone(self, api: Api) -> None:
        WorkspaceFileFactory(workspace=api.workspace, path="a/b")

        assert data(api.delete("/files/content/a/b")) == {"path": "a/b", "deleted": True}
        error(api.get("/files/content/a/b"), 404, "resource_not_found")

    def test_file_downloaded_comes_in_pieces(self, db: None) -> None:
        """A server that speaks ASGI, as ours does, takes no whole file into memory."""
        file = WorkspaceFileFactory(path="a", content=b"0123456789" * 60_000)

        response: Any = attachment(file, AsyncRequestFactory().get("/"))

        assert [len(piece) for piece in asyncio.run(_listed(response.streaming_content))] == [262_144, 262_144, 75_712]
        assert (response["Content-Length"], response["Content-Disposition"]) == ("600000", 'attachment; filename="a"')


class TestLinks:
    def test_link_downloads_one_file_without_a_key(self, api: Api) -> None:
        WorkspaceFileFactory(workspace=api.workspace, path="a.html", content=b"<script>")

        response = Client().get(linked(api, "a.html"))

        assert body(response) == b"<script>"
        assert response["Content-Disposition"] == 'attachment; filename="a.html"'

    def test_link_uploads_where_nothing_is(self, api: Api) -> None:
        url = linked(api, "new.txt", purpose="upload")

        data(Client().put(url, b"first", content_type="text/plain"), 201)

        error(Client().put(url, b"second", content_type="text/plain"), 409, "file_exists")
        data(Client().put(linked(api, "new.txt", purpose="replace"), b"third"), 201)
        assert body(api.get("/files/content/new.txt")) == b"third"

    def test_link_is_for_what_it_was_made_for(self, api: Api) -> None:
        WorkspaceFileFactory(workspace=api.workspace, path="a")

        error(Client().put(linked(api, "a"), b"x"), 404, "resource_not_found")
        error(Client().get(linked(api, "a", purpose="replace")), 404, "resource_not_found")
        error(Client().get(linked(api, "a")[:-1]), 404, "resource_not_found")
        error(Client().get("/f/x"), 404, "resource_not_found")

    def test_link_runs_out(self, api: Api) -> None:
        file = WorkspaceFileFactory(workspace=api.workspace, path="a")
        link = Link(workspace_id=file.workspace_id, path="a", purpose=Purpose.DOWNLOAD, expires_at=timezone.now())

        error(Client().get(f"/f/{links.sign(link)}"), 404, "resource_not_found")

    def test_link_says_until_when_it_works(self, api: Api) -> None:
        WorkspaceFileFactory(workspace=api.workspace, path="a")

        told = data(api.post("/files/links", {"path": "a", "expires_in": 60}), 201)

        left = timezone.datetime.fromisoformat(told["expires_at"]) - timezone.now()
        assert timedelta(seconds=0) < left <= timedelta(seconds=60)
        assert (told["path"], told["purpose"]) == ("a", "download")

    @pytest.mark.parametrize(
        ("asked", "field"),
        [
            ({}, "path"),
            ({"path": "../a"}, "path"),
            ({"path": "a", "expires_in": 604_801}, "expires_in"),
            ({"path": "a", "purpose": "look"}, "purpose"),
        ],
    )
    def test_link_that_cannot_be_is_refused_by_its_field(self, api: Api, asked: Any, field: str) -> None:
        refused = error(api.post("/files/links", asked), 400, "validation_error")

        assert refused["details"]["fields"][0]["field"] == field


@pytest.mark.parametrize(("role", "status"), [(Role.OWNER, 201), (Role.OPERATOR, 201), (Role.VIEWER, 403)])
def test_role_decides_who_writes_files(db: None, role: Role, status: int) -> None:
    client = Client()
    client.force_login(MemberFactory(role=role).user)

    answers: list[HttpResponse] = [
        client.put("/api/v1/files/content/a", b"x"),
        client.post("/api/v1/files", {"file": SimpleUploadedFile("b", b"x")}),
    ]

    assert [answer.status_code for answer in answers] == [status] * 2
    assert client.get("/api/v1/files").status_code == 200


async def _listed(pieces: AsyncIterator[bytes]) -> list[bytes]:
    return [piece async for piece in pieces]
