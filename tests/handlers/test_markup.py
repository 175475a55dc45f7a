from __future__ import annotations

from typing import Final

import pytest

from handlers import InputError
from handlers.markup import MAX_LENGTH, render

HARMFUL: Final = {
    "a script": "<script>alert(1)</script>",
    "a script in a picture": "<img src=x onerror=alert(1)>",
    "a script in an address": "[x](javascript:alert(1)) <a href='JaVaScRiPt:alert(1)'>x</a>",
    "a page in an address": "<a href='data:text/html,alert(1)'>x</a>",
    "a frame": "<iframe src='http://evil.example'></iframe>",
    "a form": "<form action='http://evil.example'><input name=password></form>",
    "a style": "<style>@import 'http://evil.example/alert(1)'</style><b style='background:url(//evil.example)'>x</b>",
    "a picture that runs": "<svg><script>alert(1)</script></svg>",
    "a class of the page": "<code class='admin-bar'>x</code>",
    "a base": "<base href='http://evil.example'>",
}


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("# Hi", "<h1>Hi</h1>\n"),
        ("~~a~~ **b**", "<p><s>a</s> <strong>b</strong></p>\n"),
        ("```js\n1 < 2\n```", '<pre><code class="language-js">1 &lt; 2\n</code></pre>\n'),
        ("[a](https://x.example)", '<p><a href="https://x.example" rel="noopener noreferrer">a</a></p>\n'),
        ("<b>x</b> & y", "<p><b>x</b> &amp; y</p>\n"),
        ("", ""),
    ],
)
def test_markdown_becomes_html(markdown: str, html: str) -> None:
    assert render(markdown) == html


def test_columns_of_a_table_keep_their_side() -> None:
    html = render("|a|b|\n|:-|-:|\n|1|2|")

    assert html.count('style="text-align:left"') == html.count('style="text-align:right"') == 2


@pytest.mark.parametrize("markdown", HARMFUL.values(), ids=HARMFUL)
def test_what_could_do_harm_is_taken_out(markdown: str) -> None:
    html = render(markdown).lower()

    assert not any(word in html for word in ("<script", "onerror", 'href="javascript', "data:text", "<iframe", "<form"))
    assert not any(word in html for word in ("<input", "<style", "background", "<svg", "admin-bar", "<base"))


def test_a_text_too_long_is_refused() -> None:
    render("[" * 1000)

    with pytest.raises(InputError) as caught:
        render("[" * (MAX_LENGTH + 1))

    assert caught.value.code == "too_large"
