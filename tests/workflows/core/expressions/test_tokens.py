"""Text → tokens."""

from __future__ import annotations

import pytest

from workflows.core.expressions.tokens import Kind, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a.0.5", ["NAME a", "SIGN .", "NAME 0", "SIGN .", "NAME 5"]),  # behind a dot a digit begins a name
        ("0.5", ["NUMBER 0.5"]),
        ("1e-3", ["NUMBER 1e-3"]),
        ("a-1 - 1", ["NAME a-1", "SIGN -", "NUMBER 1"]),  # a hyphen in a name, a minus apart
        ("2-1", ["NUMBER 2", "SIGN -", "NUMBER 1"]),  # a number is no name
        ("a===b!==c", ["NAME a", "SIGN ===", "NAME b", "SIGN !==", "NAME c"]),  # the longest sign
        ("a??b?c:d", ["NAME a", "SIGN ??", "NAME b", "SIGN ?", "NAME c", "SIGN :", "NAME d"]),
        ("'}}' }}", ["TEXT }}", "SIGN }}"]),  # quotes keep what they hold
        ('"it\'s"', ["TEXT it's"]),
        (" \n\t", []),
    ],
)
def test_tokenize_reads_the_longest_token(text: str, tokens: list[str]) -> None:
    """And leaves blanks out."""
    *found, end = tokenize(text)

    assert [f"{token.kind.name} {token.text}" for token in found] == tokens
    assert (end.kind, end.position) == (Kind.END, len(text))


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        (r"'a\nb\tc'", "a\nb\tc"),
        (r"'\u00e9'", "é"),
        (r"'\ud83d\ude00'", "😀"),  # two halves make a character
        (r"'\'\\'", "'\\"),
        (r"'\d'", "d"),  # what is no escape is itself
        (r"'\u12'", "u12"),
        ("'😀'", "😀"),
    ],
)
def test_tokenize_of_quoted_text_resolves_escapes(quoted: str, text: str) -> None:
    """As JavaScript does."""
    token, _ = tokenize(quoted)

    assert (token.kind, token.text) == (Kind.TEXT, text)
