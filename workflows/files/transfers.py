"""The content of a file on its way to and from a client, in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.files.base import File
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

from workflows.files.errors import FileTooLarge
from workflows.files.models import WorkspaceFile
from workflows.files.services import UNKNOWN_TYPE, open_file

_PIECE: Final = 256 * 1024  # bytes
_IN_MEMORY: Final = 2 * 1024 * 1024  # bytes; more is on disk meanwhile
# What a browser would run if it were ever to show it. It is told to download them all; this is the second lock.
_ACTIVE: Final = ("html", "xml", "svg", "javascript", "ecmascript", "pdf", "mhtml", "multipart")


def attachment(file: WorkspaceFile, request: HttpRequest) -> HttpResponseBase:
    """The answer that downloads *file*: never shown in place, never taken for anything but what it says it is."""
    opened = open_file(file)
    if isinstance(request, ASGIRequest):
        response: Any = StreamingHttpResponse(_pieces(opened))
        response["Content-Length"] = str(file.size)
        response["Content-Disposition"] = content_disposition_header(True, file.name)
    else:
        response = FileResponse(opened, as_attachment=True, filename=file.name)
    kind = file.content_type.lower()
    response["Content-Type"] = UNKNOWN_TYPE if any(word in kind for word in _ACTIVE) else file.content_type
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    response["ETag"] = f'"{file.sha256}"'
    return cast("HttpResponseBase", response)


def received(request: HttpRequest, path: str) -> File[bytes]:
    """The body of *request*, as it is. Raises FileTooLarge as soon as it is too large for *path* to hold it."""
    most = settings.FLOWMAESTRO_MAX_FILE_BYTES
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isdecimal() and int(announced) > most:
        raise FileTooLarge(path, size=int(announced), most=most)
    spooled = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 -- whoever stores it closes it
    size = 0
    while piece := request.read(_PIECE):
        size += len(piece)
        if size > most:
            spooled.close()
            raise FileTooLarge(path, size=size, most=most)
        spooled.write(piece)
    spooled.seek(0)
    content = File(cast("IO[bytes]", spooled), name=path)
    content.size = size
    return content


async def _pieces(opened: IO[bytes]) -> AsyncIterator[bytes]:
    """A server that speaks ASGI would otherwise take the whole file into memory first."""
    try:
        while piece := await sync_to_async(opened.read, thread_sensitive=False)(_PIECE):
            yield piece
    finally:
        opened.close()
