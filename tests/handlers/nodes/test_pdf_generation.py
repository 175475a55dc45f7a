from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from handlers import InputError
from handlers.documents import layout
from tests.handlers.fakes import EXECUTION, RecordingLent, run
from tests.handlers.servers import Reply, http_server

MARKDOWN = """\
# Übersicht

A **bold** start and a [link](https://example.com). Привет.

- one
    - nested

| Region | Sum |
|:--|--:|
| North | **9** |

```python
x = 1
```
"""


def make(lent: RecordingLent | None = None, **config: Any) -> tuple[Any, PdfReader]:
    lent = lent or RecordingLent()
    output = run("pdfGeneration", config, lent=lent)
    return output.data, PdfReader(BytesIO(lent.files.stored[output.data["path"]][0]))


def words(document: PdfReader, page: int = 0) -> str:
    return " ".join(document.pages[page].extract_text().split())


def test_pdf_has_what_the_markdown_says() -> None:
    data, document = make(content=MARKDOWN, filename="report", title="T", author="Ada")

    text = words(document)
    for part in ("Übersicht", "A bold start and a link. Привет.", "nested", "Region", "North", "9", "x = 1", "1 / 1"):
        assert part in text
    assert "**" not in text
    assert (document.metadata.title, document.metadata.author) == ("T", "Ada")  # type: ignore[union-attr]
    assert (data["path"], data["pageCount"], data["format"]) == (
        f"runs/{EXECUTION}/node/report.pdf",
        1,
        "markdown",
    )


def test_pdf_has_the_page_that_is_asked_for() -> None:
    _, document = make(
        content="\n\n".join(["A paragraph."] * 60),
        pageSize="letter",
        orientation="landscape",
        margins={"top": 40},
        headerText="Above",
        footerText="Below " * 100,
        includePageNumbers=False,
    )

    assert [round(float(side)) for side in document.pages[0].mediabox[2:]] == [792, 612]
    assert len(document.pages) > 1
    for page in range(len(document.pages)):
        assert words(document, page).startswith("Above")
        assert "Below" in words(document, page)
        assert "…" in words(document, page)
        assert "/ " not in words(document, page)


def test_pdf_of_html_does_nothing_and_fetches_nothing() -> None:
    """Neither from the web nor from the disk, whatever element or attribute asks for it."""
    with http_server(Reply()) as server:
        html = f"""
        <html><head><title>no</title><link rel=stylesheet href="{server.url}/a.css"><style>@import "{server.url}/b"</style>
        </head><body onload="x()"><script src="{server.url}/c"></script><script>leak()</script>
        <h1 style="background:url({server.url}/d)">Hi</h1><img src="{server.url}/e.png"><img src="file:///etc/passwd">
        <img src="data:image/png;base64,AAAA"><iframe src="{server.url}/f"></iframe><object data="{server.url}/g"></object>
        <svg><image href="{server.url}/h"/></svg><p>One <a href="javascript:x()">two</a> <a href="file:///etc/passwd">three</a></p>
        <table background="{server.url}/i"><tr><td><img src="{server.url}/j">cell<table><tr><td>inner</td></tr></table></td>
        <td>b</td></tr><tr><td>c</td></tr></table></body></html>"""

        _, document = make(content=html, format="html")
        _, of_markdown = make(content=f"![x]({server.url}/k.png) <img src='{server.url}/l'> text")

    assert server.received == []
    assert words(document) == "Hi One two three cell inner b c 1 / 1"
    assert "text" in words(of_markdown)
    assert not document.pages[0].images
    assert "/Annots" not in document.pages[0]


@pytest.mark.parametrize(
    "html",
    [
        "<tr><td>stray</td></tr>",
        "<td>stray",
        "<table></table>stray",
        "<table><tr></tr></table>stray",
        "<table><tbody><tr><td>stray</td></tr></tbody><p>x</p></table>",
        "<ul><p>stray",
        "<li>stray",
        "<b><i><table><tr><td>stray",
        "<h1><h2><h3>stray",
        "<dl><dt>stray",
        "<a href='https://example.com'>stray",
        "<pre><code>stray",
        "<blockquote>" * 30 + "stray",
    ],
)
def test_pdf_of_html_that_is_out_of_order_is_laid_out_all_the_same(html: str) -> None:
    _, document = pages_of(html, "html")

    assert "stray" in words(document)


def table(columns: int, cell: str) -> str:
    return "\n".join(["|" + "head|" * columns, "|" + "-|" * columns, "|" + f"{cell}|" * columns])


@pytest.mark.parametrize("content", [table(60, "cell"), table(2, "word " * 3000), "x" * 20_000])
def test_pdf_of_what_is_too_wide_or_too_high_has_it_all(content: str) -> None:
    _, made = pages_of(content, "markdown")

    assert sum(len("".join(words(made, page).split())) for page in range(len(made.pages))) > len(content) * 0.7
    assert "head: " in words(made) or "head" not in content


def pages_of(content: str, form: str) -> tuple[Any, PdfReader]:
    """Laid out here, and not in a process of its own."""
    options = {"format": form, "pageSize": "a4", "orientation": "portrait", "margins": [20] * 4}
    answer, made = layout.make(options, content.encode())
    return answer, PdfReader(BytesIO(made))


def test_pdf_tells_what_the_font_does_not_have() -> None:
    lent = RecordingLent()

    make(lent, content="漢字 and Ω")

    assert lent.logs == [("warning", "The font has none of these characters, which cannot be seen: 字漢")]


def test_pdf_of_another_nodes_output_is_of_its_text() -> None:
    _, document = make(content={"text": "From a model", "usage": {}})

    assert words(document) == "From a model 1 / 1"


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"content": " "}, "invalid_input"),
        ({"content": None}, "invalid_input"),
        ({"content": "<ul><li>" * 300 + "x", "format": "html"}, "layout_failed"),
        ({"content": "x", "filename": "../a"}, "invalid_path"),
        ({"content": "x" * 2_000_001}, "too_complex"),
    ],
)
def test_pdf_that_cannot_be_is_refused(config: Any, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        make(**config)

    assert refusal.value.code == code
