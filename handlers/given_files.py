"""Files that a node is given, in whatever way a workflow writes them down.

A path in the workspace, a URL, a `data:` URL, or an object: `{"path"}` as other nodes give it, `{"url"}`, `{"name",
"text"}`, `{"name", "base64"}`; and what the node `files` gives, when it is a single one.
"""

from __future__ import annotations

import base64
import binascii
import re
from contextlib import closing
from dataclasses import dataclass
from mimetypes import guess_type
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes

import httpx2

from handlers import network, web
from handlers.base import JSONValue
from handlers.errors import InputError, ProviderError
from handlers.ports import Lent
from handlers.values import encodable, text_of

SECONDS: Final = 60  # for a file from the web
_DATA_URL: Final = re.compile(r"data:([\w.+/-]*)((?:;[\w.+-]+=[\w.+\"-]*)*)(;base64)?,", re.ASCII)
_SHOWN: Final = 80  # characters of a value in a message
_TEXTS: Final = ("text", "content")  # of an object, the keys under which its content is
_BASE64S: Final = ("base64", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenFile:
    """A file with its content."""

    name: str  # without folders; "" when nobody said
    content: bytes
    content_type: str | None  # without parameters; None when nobody said
    path: str | None = None  # in the workspace; None when it is not from there


def load(value: JSONValue, lent: Lent, *, field: str, max_bytes: int) -> GivenFile:
    """The file that *value* stands for. *field* names it in messages.

    Raises InputError for a value that is none, and for a file that is missing or has more than *max_bytes*; and what
    reading from the workspace or from the web raises.
    """
    match value:
        case str() if value.startswith("data:"):
            return _from_data_url(value, field, max_bytes)
        case str() if value.startswith(("http://", "https://")):
            return _downloaded(value, lent, field, max_bytes)
        case str() if value.strip():
            return _stored(value, lent, max_bytes)
        case {"files": [only]} | [only]:
            return load(only, lent, field=field, max_bytes=max_bytes)
        case {"files": [*several]} | [*several]:
            raise InputError(f"{field} has {len(several)} files; the node takes one at a time, in a loop if need be.")
        case dict():
            return _from_object(value, lent, field, max_bytes)
    raise InputError(f"{field} names no file: write a path, a URL, or an object with one of them.", code="file_missing")


def workspace_path(path: str) -> str:
    """*path* without the slash that existing workflows write before it: there the workspace is the root of all."""
    return path[1:] if path.startswith("/") and not path.startswith("//") else path


def decode_base64(text: str, *, field: str) -> bytes:
    """The bytes of *text*. Raises InputError."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{field} is not base64: {error}.") from error


def _from_object(value: dict[str, Any], lent: Lent, field: str, max_bytes: int) -> GivenFile:
    if isinstance(path := value.get("path"), str) and path:
        return _stored(path, lent, max_bytes)
    if isinstance(url := value.get("url"), str) and url:
        return load(url, lent, field=f"{field}.url", max_bytes=max_bytes)
    name = _last(text_of(value.get("name") or value.get("filename") or ""))
    kind = value.get("contentType") or value.get("mimeType")
    for key in _BASE64S:
        if isinstance(text := value.get(key), str):
            if text.startswith("data:"):
                given = _from_data_url(text, f"{field}.{key}", max_bytes)
                return GivenFile(name=name, content=given.content, content_type=given.content_type)
            return _inline(name, kind, decode_base64(text, field=f"{field}.{key}"), field, max_bytes)
    for key in _TEXTS:
        if value.get(key) is not None:
            return _inline(name, kind, encodable(text_of(value[key])).encode(), field, max_bytes)
    raise InputError(f"{field} names no file: an object has path, url, text or base64.", code="file_missing")


def _inline(name: str, kind: Any, content: bytes, field: str, max_bytes: int) -> GivenFile:
    if len(content) > max_bytes:
        raise InputError(f"{field} has {len(content):,} bytes; up to {max_bytes:,} are allowed.", code="file_too_large")
    told = kind.partition(";")[0].strip().lower() if isinstance(kind, str) and kind else guess_type(name)[0]
    return GivenFile(name=name, content=content, content_type=told)


def _stored(path: str, lent: Lent, max_bytes: int) -> GivenFile:
    inside = workspace_path(path)
    content = lent.files.read(inside, max_bytes=max_bytes)
    return GivenFile(name=_last(inside), content=content, content_type=guess_type(inside)[0], path=inside)


def _from_data_url(url: str, field: str, max_bytes: int) -> GivenFile:
    """Source: RFC 2397."""
    head = _DATA_URL.match(url)
    if head is None:
        raise InputError(f"{field} is no data URL: it begins {url[:_SHOWN]!r}.")
    rest = url[head.end() :]
    content = decode_base64(unquote(rest), field=field) if head[3] else unquote_to_bytes(rest)
    return _inline("", head[1] or "text/plain", content, field, max_bytes)


def _downloaded(url: str, lent: Lent, field: str, max_bytes: int) -> GivenFile:
    try:
        request = network.client().build_request("GET", url)
    except httpx2.InvalidURL as error:
        raise InputError(f"{field} is no URL: {error}") from error
    subject = web.subject_of(request)
    with network.call(lent, seconds=SECONDS) as call:
        try:
            with closing(network.send(request)) as response:
                if not response.is_success:
                    raise ProviderError(
                        f"{subject} answered {response.status_code}.",
                        status=response.status_code,
                        retryable=web.may_pass(response),
                    )
                content = network.read(response, max_bytes=max_bytes)
        except httpx2.RequestError as error:
            raise network.failure_of(error, call=call, subject=subject) from error
    name = _last(unquote(web.suggested_name(response)))
    return GivenFile(name=name, content=content, content_type=network.content_type(response) or None)


def _last(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]
