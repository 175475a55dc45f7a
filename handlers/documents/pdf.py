"""PDF documents, read. pypdf bounds what a stream unpacks to; the process bounds the rest."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Final

from pypdf import PasswordType, PdfReader
from pypdf.errors import LimitReachedError

from handlers.documents.failures import reading, too_complex
from handlers.documents.limits import MOST_CHARACTERS, MOST_PAGES
from handlers.errors import InputError

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\ud800-\udfff]")

logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of each oddity, and there are documents full of them


def read(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """`{"text", "pages": [{"number", "text"}], "pageCount", "metadata"}` of a PDF.

    *argument*: `what` it is called, `password`, `first` and `last` page (1 is the first) or `only` some, and whether
    the text is wanted at all. Raises InputError: `password_needed`, `no_such_page`, `unreadable_document`,
    `too_complex`.
    """
    what = argument["what"]
    with reading(what), _limited(what):
        reader = PdfReader(BytesIO(content))
        _unlock(reader, argument.get("password"), what)
        count = len(reader.pages)
        if count > MOST_PAGES:
            raise too_complex(f"{what} has {count:,} pages; up to {MOST_PAGES:,} are read.")
        metadata = _metadata(reader)
        pages: list[dict[str, Any]] = []
        if argument.get("text", True):
            length = 0
            for number in _chosen(argument, count, what):
                text = _clean(reader.pages[number - 1].extract_text())
                length += len(text)
                if length > MOST_CHARACTERS:
                    raise too_complex(f"{what} has more than {MOST_CHARACTERS:,} characters.")
                pages.append({"number": number, "text": text})
    text = "\n\n".join(page["text"] for page in pages if page["text"])
    return {"text": text, "pages": pages, "pageCount": count, "metadata": metadata}, b""


@contextmanager
def _limited(what: str) -> Iterator[None]:
    try:
        yield
    except LimitReachedError as error:
        raise too_complex(f"{what} unpacks to more than it may: {error}") from error


def _unlock(reader: PdfReader, password: str | None, what: str) -> None:
    if reader.is_encrypted and reader.decrypt(password or "") is PasswordType.NOT_DECRYPTED:
        told = "needs a password" if not password else "cannot be opened with this password"
        raise InputError(f"{what} {told}.", code="password_needed")


def _chosen(argument: dict[str, Any], count: int, what: str) -> Iterable[int]:
    if argument.get("only"):
        missing = [number for number in argument["only"] if not 1 <= number <= count]
        if missing:
            raise InputError(f"{what} has {count} pages, and no page {missing[0]}.", code="no_such_page")
        return sorted(set(argument["only"]))
    first = argument.get("first") or 1
    if first > max(count, 1):
        raise InputError(f"{what} has {count} pages, and no page {first}.", code="no_such_page")
    return range(first, min(argument.get("last") or count, count) + 1)


def _metadata(reader: PdfReader) -> dict[str, str]:
    told: dict[str, str] = {}
    for key, value in (reader.metadata or {}).items():
        name = str(key).lstrip("/")
        if name and isinstance(value, str):
            told[_clean(name[:1].lower() + name[1:])[:100]] = _clean(value)[:2_000]
    return told


def _clean(text: str) -> str:
    return _CONTROL.sub("", text).strip()
