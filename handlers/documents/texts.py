"""Text files, and those whose text has a form: Markdown, HTML, JSON, CSV."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, Final

from bs4 import BeautifulSoup
from markdownify import MarkdownConverter

from handlers.documents.failures import UNREADABLE, reading
from handlers.errors import InputError

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SILENT: Final = ("script", "style", "template", "noscript", "iframe", "object", "svg", "head", "title")
_EMPTY_LINES: Final = re.compile(r"\n\s*\n\s*\n+")


def decode(content: bytes, what: str) -> str:
    """*content* as text. Raises InputError for what is none.

    By its byte order mark, else UTF-8, else Windows-1252. Source: WHATWG, Encoding: what text that names no encoding is
    taken for.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("windows-1252", "replace")
    if "\0" in text:
        raise InputError(f"{what} is no text.", code=UNREADABLE)
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def read_text(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """`{"text", "metadata"}` of a text, Markdown or CSV file, as it is."""
    return {"text": decode(content, argument["what"]), "metadata": {}}, b""


def read_json(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """The same of JSON, which has to be some; `data` is its value where the *argument* wants `data`."""
    what = argument["what"]
    text = decode(content, what)
    with reading(what):
        data = json.loads(text, parse_constant=_refused)
    return {"text": text, "metadata": {}, **({"data": data} if argument.get("data") else {})}, b""


def read_html(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """`{"text", "metadata": {"title"}}`: what a page says, as Markdown where the *argument*'s format says so."""
    what = argument["what"]
    with reading(what):
        soup = BeautifulSoup(content, "html.parser")
        title = soup.title.get_text(" ", strip=True) if soup.title else None
        for tag in soup(_SILENT):
            tag.decompose()
        if argument.get("format") == "markdown":
            text = MarkdownConverter(heading_style="ATX", strip=["img"]).convert_soup(soup)
        else:
            text = soup.get_text("\n", strip=True)
    return {"text": _EMPTY_LINES.sub("\n\n", _CONTROL.sub("", text)).strip(), "metadata": {"title": title}}, b""


def _refused(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
