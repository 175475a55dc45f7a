from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.paths import LONGEST_PART, LONGEST_PATH, BadPath, clean_path


@pytest.mark.parametrize(
    "path",
    [
        "report.pdf",
        "2026/March/Übersicht (2).pdf",
        "a/.hidden/b",
        "..a/b..",
        "runs/0190/loop1[3]-ab12/out.json",
        "at 10:30.txt",
        "100%.txt",
        "50%20off.txt",  # what it is written for is fine as well
        "数据/報告.csv",
        "👩‍💻.txt",
        "a" * LONGEST_PART,
    ],
)
def test_path_that_is_one_stays_as_it_is(path: str) -> None:
    assert clean_path(path) == path


ATTACKS = {
    "parent": "../secret",
    "parent within": "a/../../secret",
    "parent at the end": "a/..",
    "current folder": "./a",
    "absolute": "/etc/passwd",
    "absolute, twice": "//host/share",
    "home by two slashes": "a//b",
    "folder": "a/",
    "nothing": "",
    "only dots": "...",
    "dots and blanks, which Windows drops": "a/.. /b",
    "encoded": "..%2fsecret",
    "encoded dots": "%2e%2e/secret",
    "encoded twice": "..%252fsecret",
    "encoded thrice": "..%25252fsecret",
    "encoded, absolute": "%2fetc/passwd",
    "encoded NUL": "a.txt%00.png",
    "overlong UTF-8 for a dot": "%c0%ae%c0%ae/secret",
    "overlong UTF-8 for a slash": "..%c0%afsecret",
    "overlong UTF-8, as bytes read badly": b"..\xc0\xafsecret".decode("utf-8", "surrogateescape"),
    "fullwidth dots": "\uff0e\uff0e/secret",
    "fullwidth slash": "a\uff0fb",
    "two dots in one character": "\u2025/secret",
    "fullwidth backslash": "a\uff3cb",
    "backslash": "..\\secret",
    "backslash alone": "a\\b",
    "Windows drive": "C:\\Windows\\win.ini",
    "Windows drive with slashes": "C:/Windows",
    "Windows drive, relative": "c:secret",
    "Windows share": "\\\\host\\share",
    "Windows device": "\\\\?\\C:\\x",
    "NUL": "a\0.txt",
    "line break": "a\nb",
    "carriage return": "a\r\nSet-Cookie: x",
    "escape": "a\x1b[2J",
    "delete": "a\x7f",
    "C1 control": "a\x85b",
    "line separator": "a\u2028b",
    "text that turns round": "invoice\u202efdp.exe",
    "half a character": "a\ud800",
    "blank at the end": "a.txt ",
    "blank at the beginning": "a/ b",
    "part too long": "a" * (LONGEST_PART + 1),
    "part too long in bytes": "ü" * 128,
    "too long": "/".join(["a" * 99] * 10),
    "URL": "file:///etc/passwd",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_path_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(BadPath) as refusal:
        clean_path(ATTACKS[name])

    assert refusal.value.code == "invalid_path"


@pytest.mark.parametrize("path", [None, 7, ["a"], b"a"])
def test_path_that_is_no_text_is_refused(path: object) -> None:
    with pytest.raises(BadPath, match="text"):
        clean_path(path)


def test_path_is_composed() -> None:
    """What looks the same is the same file."""
    assert clean_path("u\u0308.txt") == "ü.txt"


@given(path=st.text(st.characters(exclude_categories=()), max_size=30) | st.text("./\\%2eEfF:a \0", max_size=12))
def test_path_that_is_taken_stays_where_it_is(path: str) -> None:
    try:
        clean = clean_path(path)
    except BadPath:
        return

    parts = clean.split("/")
    assert all(part and part.strip(". ") and len(part.encode()) <= LONGEST_PART for part in parts)
    assert len(clean.encode()) <= LONGEST_PATH
    assert unicodedata.is_normalized("NFC", clean)
    assert clean_path(clean) == clean
