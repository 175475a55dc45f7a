from __future__ import annotations

from typing import Any

import pytest

from handlers.documents.pages import MOST_LINKS, read_page

PAGE = """<html><head><title> A  page </title><meta name="description" content="What  it is">
<style>p {color: red}</style></head><body><h1>Head</h1><p>One &amp; two</p><script>alert(1)</script>
<a href="/next#top">n</a><a href="http://b.test/x">b</a><a href="/next">n</a><a href="mailto:a@b.test">m</a>
<a href="javascript:alert(1)">j</a><a href="http://[::1">bad</a></body></html>"""


def read(page: str | bytes, form: str = "text") -> dict[str, Any]:
    content = page if isinstance(page, bytes) else page.encode()
    return read_page({"what": "The page", "format": form, "base": "https://a.test/dir/"}, content)[0]


def test_page_has_its_title_description_and_links() -> None:
    """Links are whole, each once, and lead to the web alone."""
    told = read(PAGE)

    assert (told["title"], told["description"]) == ("A page", "What it is")
    assert told["links"] == ["https://a.test/next", "http://b.test/x"]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("text", "Head\nOne & two\nn\nb\nn\nm\nj\nbad"),
        ("markdown", "# Head\n\nOne & two\n\n[n](/next#top)[b](http://b.test/x)"),
    ],
)
def test_page_is_read_without_what_nobody_sees(form: str, content: str) -> None:
    told = read(PAGE, form)["content"]

    assert told.startswith(content)
    assert "alert(1)" not in told.replace("javascript:alert(1)", "")
    assert "color" not in told


def test_page_as_html_is_as_it_came() -> None:
    assert read(PAGE, "html")["content"] == PAGE


@pytest.mark.parametrize(
    ("page", "text"),
    [
        (b"<meta charset=iso-8859-1><p>gr\xfcn", "grün"),
        ("<p>grün".encode(), "grün"),
        (b"\xef\xbb\xbf<meta charset=iso-8859-1><p>gr\xc3\xbcn", "grün"),  # marked by who knows better
    ],
)
def test_page_is_read_in_its_encoding(page: bytes, text: str) -> None:
    assert read(page)["content"] == text
    assert read(page, "html")["content"].endswith(text)


def test_page_says_what_it_is_to_others_if_to_nobody_else() -> None:
    told = read('<meta property="og:title" content="T"><meta property="og:description" content="D"><p>x')

    assert (told["title"], told["description"]) == ("T", "D")
    assert (read("<p>x")["title"], read("<p>x")["description"]) == (None, None)


def test_page_of_endless_links_has_some() -> None:
    assert len(read("".join(f'<a href="/{number}">x</a>' for number in range(500)))["links"]) == MOST_LINKS
