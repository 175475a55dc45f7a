"""The body of a request: its bytes and their type, from what an author wrote."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from uuid import NAMESPACE_URL, uuid5

import httpx2

from handlers.attached import path_of, read_attached
from handlers.base import JSONValue
from handlers.errors import InputError
from handlers.ports import Files
from handlers.values import encodable, read_json, text_of
from handlers.web.fields import pairs, text_pairs

BodyType: TypeAlias = Literal["json", "form", "multipart", "raw", "none"]
MAX_UPLOAD_BYTES: Final = 50 * 1024 * 1024  # of all files of a request: they are held in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    content: bytes
    content_type: str


def encode(kind: BodyType, value: JSONValue) -> Body | None:
    """The body that *value* is; None when there is none. Of kind multipart, see `encode_parts`.

    Raises InputError when *value* is not what the kind says.
    """
    if kind == "none" or value is None or value == "":
        return None
    if kind == "json":
        return Body(content=_json(value), content_type="application/json")
    if kind == "form":
        return Body(content=_form(value), content_type="application/x-www-form-urlencoded")
    return Body(content=encodable(text_of(value)).encode(), content_type="text/plain; charset=utf-8")


def encode_parts(fields: JSONValue, attached: JSONValue, files: Files, *, key: str) -> Body | None:
    """A multipart body of *fields* and of the files *attached*: field → path, stored file, or a list of these.

    *key* makes the boundary, so that every attempt sends the same bytes: services compare what comes under one
    Idempotency-Key. None when there are neither fields nor files. Raises InputError.
    """
    try:
        texts = text_pairs(fields if fields != "" else None)
        places = [(name, path_of(item)) for name, item in pairs(attached if attached != "" else None)]
    except ValueError as error:
        raise InputError(f"The multipart body cannot be read. {error}") from error
    parts: list[tuple[str, tuple[str | None, bytes] | tuple[str | None, bytes, str]]]
    parts = [(name, (None, text.encode())) for name, text in texts]
    read = read_attached([path for _, path in places], files, max_bytes=MAX_UPLOAD_BYTES)
    parts += [
        (name, (file.name, file.content, file.content_type)) for (name, _), file in zip(places, read, strict=True)
    ]
    if not parts:
        return None
    content_type = f"multipart/form-data; boundary={uuid5(NAMESPACE_URL, key).hex}"
    request = httpx2.Request("POST", "http://a.invalid", files=parts, headers={"Content-Type": content_type})
    return Body(content=request.read(), content_type=content_type)


def _json(value: JSONValue) -> bytes:
    if not isinstance(value, str):
        return json.dumps(value, separators=(",", ":")).encode()  # escaped: half a surrogate pair has no encoding
    try:
        read_json(value)
    except ValueError as error:
        raise InputError(
            f"The body is not JSON: {error}. An object as body, with references as its values, always is."
        ) from error
    return encodable(value).encode()


def _form(value: JSONValue) -> bytes:
    if isinstance(value, str):
        return encodable(value).encode()
    try:
        return str(httpx2.QueryParams(text_pairs(value))).encode()
    except ValueError as error:
        raise InputError(f"The form cannot be read. {error}") from error
