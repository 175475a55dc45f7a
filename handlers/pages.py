"""A page of the web as text: fetched, and read in a process that a hostile one cannot leave."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from handlers import extraction, web
from handlers.errors import InputError
from handlers.extraction import FileKind
from handlers.given_files import GivenFile
from handlers.ports import Lent

PageFormat: TypeAlias = Literal["html", "text", "markdown"]
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)
_READER: Final = "handlers.documents.pages:read_page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    content: str
    title: str | None
    description: str | None
    links: tuple[str, ...]


def read(fetched: web.Fetched, form: PageFormat, lent: Lent) -> Page:
    """What was fetched, as text: of a page in that *form*, of a document (PDF, DOCX, …) its text.

    Raises InputError for what has none (`unsupported_type`), and for what cannot be read.
    """
    url = str(fetched.response.url)
    name = web.suggested_name(fetched.response)
    content_type = fetched.content_type or None
    kind = _kind(fetched, name)
    file = GivenFile(name=name or url, content=fetched.marked(), content_type=content_type)
    if kind == "html":
        told = extraction.ask(_READER, file, lent, format=form, base=url)
        return Page(
            content=str(told["content"]),
            title=_text(told["title"]),
            description=_text(told["description"]),
            links=tuple(cast("list[str]", told["links"])),
        )
    if kind is None:
        raise InputError(
            f"{url} is {content_type or 'of an unknown type'}, which has no text; fileDownload stores it.",
            code="unsupported_type",
        )
    told = extraction.extract(GivenFile(name=file.name, content=fetched.content, content_type=content_type), kind, lent)
    metadata = told["metadata"]
    title = metadata.get("title") if isinstance(metadata, dict) else None
    return Page(content=str(told["text"]), title=_text(title), description=None, links=())


def _kind(fetched: web.Fetched, name: str) -> FileKind | None:
    """What the server says it is goes before what its address ends in, which may well be .md for a page."""
    content_type = fetched.content_type
    if content_type.endswith("+json"):
        return "json"
    if content_type.endswith(("/xml", "+xml")) and content_type != "application/xhtml+xml":
        return "txt"
    file = GivenFile(name="" if content_type else name, content=fetched.content, content_type=content_type or None)
    kind = extraction.kind_of(file)
    return "html" if kind == "txt" and not content_type and _MARKUP.match(fetched.content) else kind


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
