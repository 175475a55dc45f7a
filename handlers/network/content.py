"""The content of an answer: bytes up to a limit, then JSON or text."""

from __future__ import annotations

import httpx2

from handlers.base import JSONValue
from handlers.errors import InputError
from handlers.ports import Lent
from handlers.values import read_json


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


def decode(response: httpx2.Response, content: bytes, lent: Lent) -> JSONValue:
    """*content* as its type says: JSON read, other text as text. Raises InputError for what is no text."""
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json" or content_type.endswith("+json"):
        if not content:
            return None
        try:
            return read_json(content)
        except ValueError as error:
            lent.log("warning", f"The answer says it is JSON and is not ({error}); it is handed on as text.")
    text = _read_text(content, charset=response.charset_encoding, is_text=content_type.startswith("text/"))
    if text is None:
        raise InputError(
            f"The answer is no text but {content_type or 'of an unknown type'}, which the node cannot hand on.",
            code="binary_response",
            details={"status": response.status_code},
        )
    return text


def _read_text(content: bytes, *, charset: str | None, is_text: bool) -> str | None:
    try:
        text = content.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        # Source: WHATWG, Encoding: what a page that names no encoding, or a wrong one, is taken for.
        return content.decode("windows-1252", "replace") if is_text else None
    return None if "\0" in text else text
