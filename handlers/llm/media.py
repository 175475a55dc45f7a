"""Pictures and sound that nodes are given, and that they make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from mimetypes import guess_extension
from typing import Any, Final, Literal

from pydantic import Field

from handlers import given_files, made_files
from handlers.base import JSONObject, JSONValue, NodeConfig, NodeInput
from handlers.errors import InputError
from handlers.llm.requests import Media
from handlers.ports import Lent

MAX_IMAGE_BYTES: Final = 20 * 1024 * 1024  # Source: the least of what OpenAI, Anthropic and Google take in a request
MAX_AUDIO_BYTES: Final = 25 * 1024 * 1024  # Source: OpenAI, "Speech to text"
MAX_INLINE_BYTES: Final = 4 * 1024 * 1024  # that an output carries as base64
_LONGEST_PATH: Final = 1_024  # characters; a longer text may be base64
_BASE64: Final = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
# What a file is, by how it begins: (at byte, these bytes).
_IMAGES: Final[Mapping[str, tuple[int, bytes]]] = {
    "image/png": (0, b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": (0, b"\xff\xd8\xff"),
    "image/gif": (0, b"GIF8"),
    "image/webp": (8, b"WEBP"),
}
_SOUNDS: Final[Mapping[str, tuple[int, bytes]]] = {
    "audio/wav": (8, b"WAVE"),
    "audio/ogg": (0, b"OggS"),
    "audio/flac": (0, b"fLaC"),
    "audio/mp4": (4, b"ftyp"),
    "audio/webm": (0, b"\x1a\x45\xdf\xa3"),
}
_MPEG: Final = (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2")
# By which services tell the format.
_ENDINGS: Final = {
    "audio/mpeg": ".mp3",
    "audio/wav": ".wav",
    "audio/ogg": ".ogg",
    "audio/flac": ".flac",
    "audio/mp4": ".m4a",
    "audio/webm": ".webm",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
}


class MediaFields(NodeConfig):
    """For nodes that make pictures or sound."""

    return_as: Literal["file", "base64"] = Field(
        "file", description="file: stored in the workspace; base64: in the output, up to 4 MB."
    )
    filename: str | None = Field(None, description="Of the stored file; with a / a path in the workspace.")


def read_image(value: JSONValue, lent: Lent, *, field: str) -> Media:
    """The picture that *value* stands for (`handlers.given_files`, or base64). Raises InputError for what is none."""
    content, name = _read(value, lent, field=field, max_bytes=MAX_IMAGE_BYTES)
    kind = _kind(content, _IMAGES)
    if kind is None:
        raise InputError(f"{field} is no picture that models read: they read PNG, JPEG, GIF and WebP.")
    return Media(content=content, content_type=kind, name=name)


def read_audio(value: JSONValue, lent: Lent, *, field: str) -> Media:
    """The sound that *value* stands for (`handlers.given_files`, or base64). Raises InputError for what is none."""
    content, name = _read(value, lent, field=field, max_bytes=MAX_AUDIO_BYTES)
    kind = "audio/mpeg" if content.startswith(_MPEG) else _kind(content, _SOUNDS)
    if kind is None:
        raise InputError(f"{field} is no sound that models hear: they hear MP3, WAV, Ogg, FLAC, M4A and WebM.")
    stem = name.rpartition(".")[0] or name or "audio"
    return Media(content=content, content_type=kind, name=f"{stem}{_ENDINGS[kind]}")


def hand_over(
    node: NodeInput[Any], lent: Lent, made: Media, fields: MediaFields, *, number: int | None = None
) -> JSONObject:
    """How the output refers to what was *made*: a stored file, or `{"base64", "contentType", "size"}`.

    *number* tells several apart. Raises InputError with code `too_large_for_output`.
    """
    if fields.return_as == "base64":
        if len(made.content) > MAX_INLINE_BYTES:
            raise InputError(
                f"The node made {len(made.content):,} bytes; an output carries up to {MAX_INLINE_BYTES:,} as base64."
                " Set returnAs to file.",
                code="too_large_for_output",
            )
        return {"base64": made.base64, "contentType": made.content_type, "size": len(made.content)}
    extension = _ENDINGS.get(made.content_type) or guess_extension(made.content_type) or ""
    name = fields.filename or made.name
    if number is not None and fields.filename:
        name = f"{name.removesuffix(extension)}-{number}"
    stored = made_files.keep(
        node, lent, made.content, filename=name, extension=extension, content_type=made.content_type
    )
    return stored.to_json()


def _read(value: JSONValue, lent: Lent, *, field: str, max_bytes: int) -> tuple[bytes, str]:
    if isinstance(value, str) and len(value) > _LONGEST_PATH and _BASE64.fullmatch(value):
        value = {"base64": value}
    given = given_files.load(value, lent, field=field, max_bytes=max_bytes)
    if not given.content:
        raise InputError(f"{field} is an empty file.")
    return given.content, given.name


def _kind(content: bytes, kinds: Mapping[str, tuple[int, bytes]]) -> str | None:
    return next((kind for kind, (at, start) in kinds.items() if content[at : at + len(start)] == start), None)
