"""The API of files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from handlers.paths import clean_path
from workflows.files import links, services
from workflows.files.links import BadLink, Link, Purpose
from workflows.files.models import WorkspaceFile
from workflows.files.serializers import (
    DeletedFileSerializer,
    FileLinkSerializer,
    FileSerializer,
    ListQuery,
    NewLink,
    Upload,
    WriteQuery,
)
from workflows.files.transfers import attachment, received
from workflows.http import idempotency
from workflows.http.views import Endpoints

_RAW: Final = {"application/octet-stream": OpenApiTypes.BINARY}
_CONTENT: Final = {(200, "application/octet-stream"): OpenApiTypes.BINARY}
_STORED: Final = {
    201: FileSerializer,
    409: OpenApiResponse(description="`file_exists`: there is one, and `overwrite` was not said. `quota_exceeded`."),
}
_PATH: Final = OpenApiParameter("path", str, OpenApiParameter.PATH, description="Of the file; it may have several /.")
_SIGNED: Final = OpenApiParameter("signed", str, OpenApiParameter.PATH, description="Of a link's `url`.")


class FileViewSet(Endpoints):
    """Files of the workspace: what workflows read and write."""

    queryset = WorkspaceFile.objects.none()
    parser_classes = [MultiPartParser]
    scopes = {"list": {"files:read"}, "upload": {"files:write"}}

    def mine(self) -> QuerySet[WorkspaceFile]:
        return WorkspaceFile.objects.of(self.caller.workspace_id)

    @extend_schema(responses=FileSerializer(many=True), parameters=[ListQuery])
    def list(self, request: Request) -> Response:
        """The workspace's files, by path. A folder is what paths have in common, and is there while a file is."""
        del request
        prefix = self.query(ListQuery)["prefix"]
        page = self.page_of(WorkspaceFile.objects.of(self.caller.workspace_id).below(prefix).order_by("path"))
        return self.get_paginated_response(FileSerializer(page, many=True).data)

    @extend_schema(request={"multipart/form-data": Upload}, responses=_STORED)
    def upload(self, request: Request) -> Response:
        """Store a file that a form sends. Sent again without `overwrite`, it is a 409 and nothing has changed."""
        del request
        body = self.body(Upload)
        given = body["file"]
        stored = services.write_file(
            self.caller.workspace_id,
            body.get("path") or given.name,
            given,
            content_type=given.content_type,
            overwrite=body["overwrite"],
        )
        return Response(FileSerializer(stored).data, status=status.HTTP_201_CREATED)


class LinkViewSet(Endpoints):
    """Links to files, for whoever holds them."""

    queryset = WorkspaceFile.objects.none()
    scopes = {"links": {"files:read", "files:write"}}

    @extend_schema(request=NewLink, responses={201: FileLinkSerializer}, parameters=[idempotency.PARAMETER])
    def links(self, request: Request) -> Response:
        """Make a link that downloads or uploads one file, without a key, until it runs out. It cannot be taken back."""
        body = self.body(NewLink)
        purpose = Purpose(body["purpose"])
        path = clean_path(body["path"])

        def act() -> Response:
            if purpose is Purpose.DOWNLOAD:
                services.find_file(self.caller.workspace_id, path)
            expires_at = timezone.now() + timedelta(seconds=body["expires_in"])
            signed = links.sign(
                Link(workspace_id=self.caller.workspace_id, path=path, purpose=purpose, expires_at=expires_at)
            )
            url = request.build_absolute_uri(reverse("file-link", args=[signed]))
            told = {"url": url, "path": path, "purpose": purpose.value, "expires_at": expires_at}
            return Response(FileLinkSerializer(told).data, status=status.HTTP_201_CREATED)

        return idempotency.once(request, act)


class _Transfers(Endpoints):
    """Bodies are contents, of any type and size: nothing reads them on the way."""

    queryset = WorkspaceFile.objects.none()
    http_method_names = ["get", "put", "delete", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        GenericViewSet.initial(self, request, *args, **kwargs)  # and not Endpoints', which would read the body


class ContentViewSet(_Transfers):
    """The content of a file, by its path."""

    scopes = {"download": {"files:read"}, "store": {"files:write"}, "remove": {"files:write"}}

    @extend_schema(responses=_CONTENT, parameters=[_PATH])
    def download(self, request: Request, path: str) -> HttpResponseBase:
        """The content of a file. Always as an attachment, and of a type that no browser runs."""
        return attachment(services.find_file(self.caller.workspace_id, path), request._request)  # noqa: SLF001

    @extend_schema(request=_RAW, responses=_STORED, parameters=[_PATH, WriteQuery])
    def store(self, request: Request, path: str) -> Response:
        """Store the body under a path, whatever it is. Its Content-Type is kept with it."""
        overwrite = self.query(WriteQuery)["overwrite"]
        stored = _stored(self.caller.workspace_id, path, request, overwrite=overwrite)
        return Response(FileSerializer(stored).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={200: DeletedFileSerializer}, parameters=[_PATH])
    def remove(self, request: Request, path: str) -> Response:
        """Delete a file for good. Runs that refer to it find it no more."""
        del request
        services.delete_file(self.caller.workspace_id, path)
        return Response({"path": clean_path(path), "deleted": True})


class LinkedViewSet(_Transfers):
    """What a link leads to, for whoever holds it: neither key nor session."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(responses=_CONTENT, parameters=[_SIGNED], tags=["files"], auth=[], operation_id="files_linked")
    def download(self, request: Request, signed: str) -> HttpResponseBase:
        """Download a file by a link. Always as an attachment."""
        link = _followed(signed, Purpose.DOWNLOAD)
        return attachment(services.find_file(link.workspace_id, link.path), request._request)  # noqa: SLF001

    @extend_schema(
        request=_RAW,
        responses=_STORED,
        parameters=[_SIGNED],
        tags=["files"],
        auth=[],
        operation_id="files_linked_store",
    )
    def store(self, request: Request, signed: str) -> Response:
        """Upload a file by a link. The body is its content."""
        link = _followed(signed, Purpose.UPLOAD, Purpose.REPLACE)
        stored = _stored(link.workspace_id, link.path, request, overwrite=link.purpose is Purpose.REPLACE)
        return Response(FileSerializer(stored).data, status=status.HTTP_201_CREATED)


def _followed(signed: str, *purposes: Purpose) -> Link:
    link = links.read(signed, now=timezone.now())
    if link.purpose not in purposes:
        raise BadLink
    return link


def _stored(workspace_id: Any, path: str, request: Request, *, overwrite: bool) -> WorkspaceFile:
    clean = clean_path(path)
    with received(request._request, clean) as content:  # noqa: SLF001 -- REST framework would parse it
        return services.write_file(
            workspace_id, clean, content, content_type=request.content_type or None, overwrite=overwrite
        )
