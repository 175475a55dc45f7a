"""Markdown as HTML that may be shown to anybody, whoever wrote it."""

from __future__ import annotations

from functools import cache
from typing import Final

import nh3
from markdown_it import MarkdownIt

from handlers.errors import InputError

# The slowest text of that length, brackets that begin no link, takes a second (measured).
MAX_LENGTH: Final = 100_000  # characters
_LANGUAGE: Final = "language-"
_ATTRIBUTES: Final = {
    **nh3.ALLOWED_ATTRIBUTES,
    "code": {"class"},
    **{cell: nh3.ALLOWED_ATTRIBUTES[cell] | {"style"} for cell in ("td", "th")},
}


def render(markdown: str) -> str:
    """HTML for *markdown* (CommonMark, with tables and strikethrough), without anything that runs.

    HTML in it stays as far as it is harmless. Raises InputError when it is too long.
    """
    if len(markdown) > MAX_LENGTH:
        raise InputError(
            f"Markdown of up to {MAX_LENGTH:,} characters is made HTML; this has {len(markdown):,}.", code="too_large"
        )
    return nh3.clean(
        _parser().render(markdown),
        attributes=_ATTRIBUTES,
        attribute_filter=_filtered,
        filter_style_properties={"text-align"},  # how columns of a table are set
    )


def _filtered(tag: str, name: str, value: str) -> str | None:
    """A class is kept where it names the language of a piece of code; others would be those of the page around it."""
    if (tag, name) == ("code", "class"):
        return next((one for one in value.split() if one.startswith(_LANGUAGE)), None)
    return value


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"])
