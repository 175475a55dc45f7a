"""Markdown and HTML as a PDF.

The layout is fpdf2's, which fetches every picture it is shown, from the web or the disk: so it is shown none. What it
gets is HTML of a few harmless elements, without attributes but the address of a link.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import nh3
from bs4 import BeautifulSoup, Tag
from fpdf import FPDF
from fpdf.fonts import FontFace, TextStyle
from markdown_it import MarkdownIt

from handlers.documents.failures import too_complex
from handlers.errors import InputError

MOST_CHARACTERS: Final = 2_000_000
_TAGS: Final = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code", "ul", "ol", "li"),
    *("b", "strong", "i", "em", "u", "s", "del", "a", "sup", "sub", "center", "dl", "dt", "dd"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_SILENT: Final = {"script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg", "math"}
_INK: Final = "#1f2933"
_FAMILY, _MONO = "DejaVu", "DejaVuMono"
_FACES: Final = {"": "", "B": "-Bold", "I": "-Oblique", "BI": "-BoldOblique"}
_SIZES: Final = {"h1": 22, "h2": 17, "h3": 14, "h4": 12, "h5": 11, "h6": 10}
_BODY_SIZE: Final = 10.5  # points
_MOST_COLUMNS: Final = 12  # of a table that is drawn as one
_LONGEST_CELL: Final = 1_200  # characters: fpdf2 draws no row that is higher than a page
_LINE_HEIGHT: Final = "1.35"  # times the size
_ALIGNED: Final = re.compile(r"text-align:\s*(left|right|center)")  # all that is kept of a style: Markdown's columns
_SMALL_SIZE: Final = 8.0

logging.getLogger("fpdf").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)


def make(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """The PDF of *content*, UTF-8 text: `{"pageCount", "missing"}` and its bytes.

    *argument*: `format` (markdown, html), `pageSize`, `orientation`, `margins` in mm (top, right, bottom, left),
    `header`, `footer`, `pageNumbers`, `title`, `author`, and `date` as ISO text. *missing* are characters that the font
    does not have, and that are not to be seen.
    """
    text = content.decode()
    if len(text) > MOST_CHARACTERS:
        raise too_complex(f"The content has {len(text):,} characters; up to {MOST_CHARACTERS:,} are laid out.")
    with _laying_out():
        html = _plain_html(text if argument["format"] == "html" else _rendered(text))
        document = _Document(argument)
        document.add_page()
        document.write_html(
            html,
            tag_styles=_styles(),
            li_prefix_color=_INK,
            table_line_separators=True,
            warn_on_tags_not_matching=False,
        )
        made = bytes(document.output())
    shown = f"{text}{argument.get('header') or ''}{argument.get('footer') or ''}"
    known = getattr(document.fonts[_FAMILY.lower()], "cmap", {})
    missing = sorted({each for each in shown if each.isprintable() and ord(each) not in known})
    return {"pageCount": len(document.pages), "missing": "".join(missing)[:100]}, made


@contextmanager
def _laying_out() -> Iterator[None]:
    try:
        yield
    except (MemoryError, RecursionError):
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"[:200]
        raise InputError(
            f"The content cannot be laid out ({told}). Something in it is too wide, too high or too deep for the page.",
            code="layout_failed",
        ) from error


class _Document(FPDF):
    """With what stands above and below each page."""

    def __init__(self, argument: dict[str, Any]) -> None:
        super().__init__(orientation=argument["orientation"], format=argument["pageSize"], unit="mm")
        self._said = argument
        top, right, bottom, left = argument["margins"]
        self.set_margins(left, top, right)
        self.set_auto_page_break(auto=True, margin=bottom)
        fonts = _font_folder()
        for family, stem in ((_FAMILY, "DejaVuSans"), (_MONO, "DejaVuSansMono")):
            for style, ending in _FACES.items():
                self.add_font(family, style, fonts / f"{stem}{ending}.ttf")
        self.set_font(_FAMILY, size=_BODY_SIZE)
        self.set_text_color(_INK)
        if argument.get("title"):
            self.set_title(argument["title"])
        if argument.get("author"):
            self.set_author(argument["author"])
        self.set_creator("FlowMaestro")

    def header(self) -> None:
        if self._said.get("header"):
            self._line(max(5.0, self.t_margin - 8), self._said["header"], "L")

    def footer(self) -> None:
        place = self.h - max(8.0, self.b_margin - 6)
        if self._said.get("footer"):
            self._line(place, self._said["footer"], "L")
        if self._said.get("pageNumbers"):
            self._line(place, f"{self.page_no()} / {{nb}}", "R")

    def _line(self, place: float, text: str, align: str) -> None:
        """One line, as much of it as there is room for."""
        self.set_font(_FAMILY, size=_SMALL_SIZE)
        self.set_text_color("#6b7785")
        shown = " ".join(text.split())[:300]
        room = self.epw * (0.8 if align == "L" else 1)
        if self.get_string_width(shown) > room:
            while shown and self.get_string_width(f"{shown}…") > room:
                shown = shown[:-1]
            shown = f"{shown}…"
        self.set_xy(self.l_margin, place)
        self.cell(w=self.epw, h=4, text=shown, align=align)
        self.set_font(_FAMILY, size=_BODY_SIZE)
        self.set_text_color(_INK)
        self.set_xy(self.l_margin, self.t_margin)


def _rendered(markdown: str) -> str:
    reader = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    return str(reader.render(markdown))


def _plain_html(html: str) -> str:
    """*html* reduced to what fpdf2 lays out well, with each element where it may stand."""
    clean = nh3.clean(
        html,
        tags=_TAGS,
        clean_content_tags=_SILENT,
        attributes={"a": {"href"}, "td": {"style"}, "th": {"style"}},
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    soup = BeautifulSoup(clean, "html.parser")
    for bare in [*soup("dl"), *(link for link in soup("a") if not link.get("href"))]:
        bare.unwrap()
    # A table in a table becomes words of its cell: fpdf2 knows no such thing.
    for table in [each for each in soup("table") if each.find_parent("table") is None]:
        table.replace_with(_table(soup, table))
    for stray in soup(["tr", "td", "th", "thead", "tbody"]):
        if stray.find_parent("table") is None:
            stray.unwrap()
    for block in soup(["p", "ul", "ol"]):
        block["line-height"] = _LINE_HEIGHT
    return str(soup)


def _table(soup: BeautifulSoup, table: Tag) -> Tag | str:
    """The rows of *table* and nothing between them, each as long as the longest; cells of plain or of bold words."""
    rows = [row(["td", "th"], recursive=False) for row in table("tr") if row.find_parent("table") is table]
    longest = max(map(len, rows), default=0)
    if not longest:
        return " ".join(table.get_text(" ", strip=True).split())
    if longest > _MOST_COLUMNS or any(len(cell.get_text()) > _LONGEST_CELL for row in rows for cell in row):
        return _as_list(soup, [row for row in rows if row])
    made = soup.new_tag("table")
    for cells in filter(None, rows):
        row = soup.new_tag("tr")
        for cell in cells:
            row.append(_cell(soup, cell))
        for _ in range(longest - len(cells)):
            row.append(soup.new_tag("td"))
        made.append(row)
    return made


def _as_list(soup: BeautifulSoup, rows: list[Any]) -> Tag:
    """A table that no page is wide or high enough for: each row a paragraph, each cell a line, named by the header."""
    header = [_words(cell) for cell in rows[0]] if all(cell.name == "th" for cell in rows[0]) else []
    made = soup.new_tag("div")
    for row in rows[1:] if header else rows:
        paragraph = soup.new_tag("p")
        for place, cell in enumerate(row):
            if place:
                paragraph.append(soup.new_tag("br"))
            if place < len(header):
                paragraph.append(soup.new_tag("b", string=f"{header[place]}: "))
            paragraph.append(_words(cell))
        made.append(paragraph)
    return made


def _words(cell: Tag) -> str:
    return " ".join(cell.get_text(" ", strip=True).split())


def _cell(soup: BeautifulSoup, cell: Tag) -> Tag:
    words = _words(cell)
    is_bold = len(cell.contents) == 1 and bool(cell.find(["b", "strong"], recursive=False))
    made = soup.new_tag(cell.name)
    if aligned := _ALIGNED.search(str(cell.get("style") or "")):
        made["align"] = aligned[1]
    made.append(soup.new_tag("b", string=words) if is_bold else words)
    return made


def _styles() -> dict[str, FontFace]:
    headings = {
        name: TextStyle(color=_INK, font_style="B", font_size_pt=size, t_margin=5, b_margin=1.2)
        for name, size in _SIZES.items()
    }
    mono = {
        "code": FontFace(family=_MONO, size_pt=_BODY_SIZE - 1),
        "pre": TextStyle(font_family=_MONO, font_size_pt=_BODY_SIZE - 1.5, t_margin=3, b_margin=2),
    }
    block = {
        "p": TextStyle(t_margin=0, b_margin=2.2),
        "blockquote": TextStyle(color="#52606d", t_margin=2, b_margin=2, l_margin=6),
        "li": TextStyle(l_margin=6, t_margin=1.2),
        "a": FontFace(color="#1f5fbf", emphasis="UNDERLINE"),
    }
    return {**headings, **mono, **block}


def _font_folder() -> Path:
    """Where matplotlib has its fonts. It need not be imported for that, which takes seconds."""
    found = find_spec("matplotlib")
    assert found is not None  # noqa: S101 -- for the type checker: it is a dependency
    assert found.origin is not None  # noqa: S101
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
