"""Web pages: what they say, what they are called, and where they lead."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urldefrag, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from handlers.documents.failures import reading
from handlers.documents.texts import read_html

MOST_LINKS: Final = 200


def read_page(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """`{"content", "title", "description", "links"}` of a page.

    *argument*: `format` is html, text or markdown, `base` the address that relative links stand for, `what` the page in
    messages. Links are whole addresses, each once, up to 200 of them.
    """
    with reading(argument["what"]):
        soup = BeautifulSoup(content, "html.parser")
        title = " ".join(soup.title.get_text().split()) if soup.title else None
        told = {
            "title": title or _meta(soup, "og:title"),
            "description": _meta(soup, "description") or _meta(soup, "og:description"),
            "links": _links(soup, argument["base"]),
        }
    if argument["format"] == "html":
        return {**told, "content": content.decode(soup.original_encoding or "utf-8", "replace").lstrip("\ufeff")}, b""
    text, _ = read_html({"what": argument["what"], "format": argument["format"]}, content)
    return {**told, "content": text["text"]}, b""


def _meta(soup: BeautifulSoup, name: str) -> str | None:
    for key in ("name", "property"):
        tag = soup.find("meta", attrs={key: name})
        if isinstance(tag, Tag) and (text := " ".join(str(tag.get("content") or "").split())):
            return text
    return None


def _links(soup: BeautifulSoup, base: str) -> list[str]:
    found: dict[str, None] = {}
    for tag in soup.find_all("a", href=True):
        try:
            url = urldefrag(urljoin(base, str(tag["href"]).strip())).url
            parts = urlsplit(url)
        except ValueError:
            continue
        if parts.scheme in {"http", "https"} and parts.netloc:
            found[url] = None
        if len(found) == MOST_LINKS:
            break
    return list(found)
