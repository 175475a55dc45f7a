"""What parses, what does not, and what is said about it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import expressions
from workflows.core import ExpressionSyntax, parse
from workflows.core.expressions.parser import MAX_DEPTH, MAX_LENGTH


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("order.total", ["order.total"]),  # dots
        ("items[0].name", ["items[0].name"]),  # a fixed index is a step
        ("headers['content-type']", ["headers.content-type"]),  # a quoted key is a step
        ('o["two words"]', ['o["two words"]']),  # and spelt in quotes where it must be
        ("rows.0.1", ["rows.0.1"]),  # a number behind a dot is a key, not a fraction
        ("link[0].$.href", ["link[0].$.href"]),  # $ is a letter
        ("trigger-1.body", ["trigger-1.body"]),  # a hyphen inside a name belongs to it
        ("a--b", ["a--b"]),  # several, too: node ids may hold them
        ("a - b", ["a", "b"]),  # a minus stands apart
        ("a -b", ["a", "b"]),  # on one side is enough
        ("a[i].b", ["i", "a"]),  # a computed step ends what is fixed
        ("(a || b).c", ["a", "b"]),  # a step from a value is no reference
        ("a + a.b + a", ["a", "a.b"]),  # each once
        ("name.trim().length", ["name"]),  # a method is no step
        ("Math.max(a, b)", ["a", "b"]),  # nor is a function a reference
        ("$now - 1", ["$now"]),  # the moment is a name like others
        ("größe.länge", ["größe.länge"]),  # inputs are named in any language
        ("{{a.b}} == {{c}}", ["a.b", "c"]),  # as conditions are written in existing workflows
        ("'a.b' == 1", []),  # quoted text refers to nothing
    ],
)
def test_parse_of_names_lists_the_references(text: str, references: list[str]) -> None:
    """What an expression reads can be told without evaluating it."""
    expression = parse(text)

    assert [str(reference) for reference in expression.references] == references


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("", 0, "there is nothing here to evaluate"),  # {{}}
        ("  ", 2, "there is nothing here to evaluate"),  # blanks only
        ("1 ==", 4, "a value is missing before the end"),
        ("(1", 2, ") is missing before the end"),
        ("a ? b", 5, ": is missing before the end"),
        ("a.", 2, "a name is missing before the end"),
        ("a..b", 2, "a name is missing before ."),
        ("a b", 2, "unexpected b"),
        ("a = 1", 2, "there is no assignment; == compares"),
        ("x => 1", 2, "there are no functions of one's own"),
        ("x | upper", 2, "there are no filters; || means or"),
        ("a & b", 2, "&& means and"),
        ("a?.b", 2, "write a plain dot instead of ?. (what is not there is null)"),
        ("`a`", 0, "+ joins it"),
        ("[1]", 0, "there are no lists of one's own"),
        ("{a: 1}", 0, "there are no objects"),
        ("'it", 0, "the text that begins here is not closed"),
        ("'\\ud83d'", 0, "half a character"),
        ("'\\u0000'", 0, "a NUL"),
        ("a # b", 2, "unexpected '#'"),
        ("f(1)", 1, "there is no function f()"),
        ("number('1')", 6, "did you mean Number()?"),
        ("n.upper()", 7, "did you mean toUpperCase()?"),
        ("Math.rund(1)", 9, "did you mean round()?"),
        ("n.constructor('x')", 13, "there is no method constructor()"),
        ("a[0](1)", 4, "only a method or a function can be called"),
        ("Math.abs()", 9, "Math.abs() takes 1 argument, not 0"),
        ("a.slice(1, 2, 3)", 15, "slice() takes 0 to 2 arguments, not 3"),
        ("a.includes(1,)", 13, "a value is missing before )"),
        ("1e999", 0, "too large"),
        ("9" * 500, 0, "too large"),
    ],
)
def test_parse_of_what_is_no_expression_says_where_and_why(text: str, position: int, said: str) -> None:
    """The message is enough to mend the expression by."""
    with pytest.raises(ExpressionSyntax) as refused:
        parse(text)

    assert (refused.value.position, said in str(refused.value)) == (position, True), str(refused.value)


@pytest.mark.parametrize(
    ("before", "between", "after"),
    [
        ("(", "1", ")"),
        ("a[", "0", "]"),
        ("String(", "1", ")"),
        ("1 ? 2 : ", "3", ""),
        ("1 || 1 && 1 == 1 < 1 + 1 * (", "1", ")"),
        ("{{", "1", "}}"),
    ],
)
def test_parse_of_deep_nesting_is_refused(before: str, between: str, after: str) -> None:
    """However deep an expression is nested, it is refused before the stack ends."""
    text = before * MAX_DEPTH + between + after * MAX_DEPTH

    with pytest.raises(ExpressionSyntax, match=f"nested more than {MAX_DEPTH} levels deep"):
        parse(text)


@pytest.mark.parametrize(
    "text", ["!" * 5000 + "a", "-" * 5000 + "a", "1" + "+1" * 3000, "a" + ".b" * 3000, "a" + ".trim()" * 1400]
)
def test_parse_of_a_long_chain_is_no_nesting(text: str) -> None:
    """Long is not deep: chains of any length within the limit of characters are read."""
    expression = parse(text)

    assert expression.text == text


def test_parse_of_a_long_text_is_refused() -> None:
    """What an expression costs is bounded by its length, so its length is."""
    text = "a" * (MAX_LENGTH + 1)

    with pytest.raises(ExpressionSyntax, match="at most 10000 characters, not 10001"):
        parse(text)


@given(
    text=st.text(alphabet=st.sampled_from("ab01.,'\"\\()[]{}?:!<>=&|+-*/% \n$é"), max_size=60)
    | st.text(max_size=60)
    | expressions()
)
def test_parse_of_anything_parses_or_refuses(text: str) -> None:
    """No text makes the parser raise anything else, or point outside the text."""
    position = 0

    try:
        parse(text)
    except ExpressionSyntax as refused:
        position = refused.position

    assert 0 <= position <= len(text)
