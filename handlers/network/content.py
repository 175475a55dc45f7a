"""The content of an answer: bytes up to a limit, then JSON or text."""

from __future__ import annotations

from typing import Final

import httpx2

from handlers.base import JSONValue
from handlers.errors import InputError
from handlers.ports import Lent
from handlers.values import read_json

DEFAULT_MAX_ANSWER_BYTES: Final = 10 * 1024 * 1024


class BinaryAnswer(InputError):
    """The answer is no text."""

    code = "binary_response"


class _Bounds:
    max_answer_bytes = DEFAULT_MAX_ANSWER_BYTES


def bound(*, max_answer_bytes: int) -> None:
    _Bounds.max_answer_bytes = max_answer_bytes


def max_answer_bytes() -> int:
    """How long an answer may be that nodes take as data: it is held in memory, and stored."""
    return _Bounds.max_answer_bytes


def read(response: httpx2.Response, *, max_bytes: int) -> bytes:
    """The unpacked content. Raises InputError when it is longer than *max_bytes*, without reading on."""
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > max_bytes:
            raise InputError(
                f"The answer has more than {max_bytes / 1024**2:g} MB.",
                code="response_too_large",
                details={"status": response.status_code},
            )
    return bytes(content)


def content_type(response: httpx2.Response) -> str:
    """The media type of the answer, in small letters and without parameters; empty when it does not say."""
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def decode(response: httpx2.Response, content: bytes, lent: Lent) -> JSONValue:
    """*content* as its type says: JSON read, other text as text. Raises BinaryAnswer for what is no text."""
    kind = content_type(response)
    if kind == "application/json" or kind.endswith("+json"):
        if not content:
            return None
        try:
            return read_json(content)
        except ValueError as error:
            lent.log("warning", f"The answer says it is JSON and is not ({error}); it is handed on as text.")
    text = _read_text(content, charset=response.charset_encoding, is_text=kind.startswith("text/"))
    if text is None:
        raise BinaryAnswer(
            f"The answer is no text but {kind or 'of an unknown type'}, which the node cannot hand on.",
            details={"status": response.status_code},
        )
    return text


def as_text(response: httpx2.Response, content: bytes) -> str:
    """*content* as text, whatever it is: what no encoding explains is replaced."""
    try:
        return content.decode(response.charset_encoding or "utf-8", "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _read_text(content: bytes, *, charset: str | None, is_text: bool) -> str | None:
    try:
        text = content.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        # Source: WHATWG, Encoding: what a page that names no encoding, or a wrong one, is taken for.
        return content.decode("windows-1252", "replace") if is_text else None
    return None if "\0" in text else text
