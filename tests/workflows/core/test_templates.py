"""References in configurations: what stays what it is, what becomes text, what is noted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.base import FieldKind
from tests.strategies import expressions, json_values
from workflows.core import (
    MISSING,
    UNKNOWN,
    EvaluationError,
    ExpressionError,
    ExpressionSyntax,
    compile_config,
    compile_value,
    resolve,
    resolve_config,
    templates,
    walk,
)

VALUES: dict[str, Any] = {
    "n": 2,
    "whole": 2.0,
    "text": "x",
    "yes": True,
    "null": None,
    "o": {"k": [1, 2], "null": None, "price": 10.0},
    "sly": "{{text}} {{n}}",
    "skipped": MISSING,
}


def look_up(parts: Sequence[str | int]) -> Any:
    found = VALUES.get(str(parts[0]), UNKNOWN)
    return found if found in (MISSING, UNKNOWN) else walk(found, parts[1:])


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ("{{n}}", 2),  # a lone reference keeps its type
        ("{{ o }}", VALUES["o"]),  # blanks inside the braces are nothing
        ("{{o.k}}", [1, 2]),
        ("{{yes}}", True),
        ("{{n + 1}}", 3),  # as does a lone expression
        ("{{1 + 1}}", 2),  # also one without names
        (" {{n}}", " 2"),  # beside a blank it is text
        ("{{n}}{{n}}", "22"),  # as are two
        ("a {{text}} b", "a x b"),
        ("{{yes}}!", "true!"),
        ("{{whole}}!", "2!"),
        ("{{o}}!", '{"k":[1,2],"null":null,"price":10}!'),  # compact JSON
        ("{{o.k}}!", "[1,2]!"),
        ("{{o.null}}!", "null!"),  # null is a value
        ("{{o.null}}", None),
        ("<{{o.gone}}>", "<>"),  # a path that is not there
        ("{{o.gone}}", None),
        ("<{{skipped.a}}>", "<>"),  # a node that was skipped
        ("{{skipped}}", None),
        ("<{{ghost.a}}>", "<{{ghost.a}}>"),  # a name nothing defines stays as it was written
        ("<{{ ghost['a'] }}>", "<{{ ghost['a'] }}>"),
        ("{{ghost}}", None),
        ("<{{ghost || 'd'}}>", "<d>"),  # but not in an expression
        ("<{{skipped || null}}>", "<null>"),
        ("{{sly}}", "{{text}} {{n}}"),  # what a reference yields is not looked at again
        ("<{{sly}}>", "<{{text}} {{n}}>"),
        ("{{n}", "{{n}"),  # braces that do not close are text
        ("a { b } ${c} {d}} <e> %s", "a { b } ${c} {d}} <e> %s"),
        ("line\n{{\n n \n}}\n", "line\n2\n"),  # over several lines
        ([1, "{{n}}", ["{{text}}"]], [1, 2, ["x"]]),
        ({"a": "{{n}}", "{{n}}": 1}, {"a": 2, "{{n}}": 1}),  # keys are not templates
        (5, 5),
        (None, None),
    ],
)
def test_resolve_of_a_value_follows_the_table(value: Any, resolved: Any) -> None:
    """Types are kept by a lone reference; inside text everything is written as text."""
    template = compile_value(value)

    result = resolve(template, look_up).value

    assert (result, type(result)) == (resolved, type(resolved))


@pytest.mark.parametrize(
    ("value", "unknown"),
    [
        ("{{ghost.a[0]}} {{ghost.a[0]}} {{other}}", ("ghost.a[0]", "other")),  # each once
        ("{{ghost}}", ("ghost",)),  # as a whole value
        (["{{n}}", "{{ghost + ''}}"], ("ghost",)),  # inside expressions
        ("{{n || ghost}}", ()),  # not where it did not matter
        ("{{skipped}} {{o.gone}}", ()),  # a path that is not there is no mistake
    ],
)
def test_resolve_notes_names_that_nothing_defines(value: Any, unknown: tuple[str, ...]) -> None:
    """They are told with the node run, so that a slip is found."""
    result = resolve(compile_value(value), look_up)

    assert result.unknown == unknown


@pytest.mark.parametrize("text", ["{{}}", "{{ }}", "{{1 +}}", "{{{n}}}", "a {{b c}}", "{{'}}'}}"])
def test_compile_value_of_a_bad_reference_refuses(text: str) -> None:
    """What stands between braces must be an expression; it ends at the first closing pair."""
    with pytest.raises(ExpressionSyntax):
        compile_value({"deep": [text]})


def test_compile_config_reads_each_field_by_its_kind() -> None:
    """Templates are filled in, expressions evaluated, conditions by truth; the rest is left alone, as what is blank."""
    kinds = {
        "when": FieldKind.CONDITION,
        "code": FieldKind.RAW,
        "blank": FieldKind.CONDITION,
        "given": FieldKind.CONDITION,
        "path": FieldKind.EXPRESSION,
        "absent": FieldKind.EXPRESSION,
        "braced": FieldKind.EXPRESSION,
        "literal": FieldKind.EXPRESSION,
        "empty": FieldKind.EXPRESSION,
        "later": FieldKind.DEFERRED,
    }
    config = {
        "when": "{{n}} > 1 && '' || text",
        "code": "{{n}}",
        "blank": " ",
        "given": True,
        "value": {"v": "{{n}}"},
        "plain": [1],
        "path": " n + 1 ",
        "absent": "ghost",
        "braced": "{{n}}",
        "literal": ["n", "{{n}}"],
        "empty": "",
        "later": "{{n}} < 1",
    }

    compiled = compile_config(config, kinds)

    assert resolve_config(compiled, look_up).config == {
        "when": "x",
        "code": "{{n}}",
        "blank": " ",
        "given": True,
        "value": {"v": 2},
        "plain": [1],
        "path": 3,
        "absent": None,
        "braced": 2,
        "literal": ["n", 2],
        "empty": "",
        "later": "{{n}} < 1",
    }
    assert [str(reference) for reference in compiled.references] == ["n", "text", "ghost"]


def test_resolve_config_keeps_the_order_of_fields() -> None:
    """What people are shown looks as it was drawn."""
    config = {"z": 1, "a": "{{n}}", "m": 2}

    resolved = resolve_config(compile_config(config, {}), look_up)

    assert [*resolved.config] == ["z", "a", "m"]


def test_resolve_twice_does_not_touch_the_drawing() -> None:
    """One compiled configuration serves every run."""
    config = {"list": [1, "{{n}}"], "object": {"a": "{{text}}", "b": [2]}}
    compiled = compile_config(config, {})

    first = resolve_config(compiled, look_up)
    second = resolve_config(compiled, look_up)

    assert first == second
    assert config == {"list": [1, "{{n}}"], "object": {"a": "{{text}}", "b": [2]}}


def test_resolve_of_too_much_text_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a large value is mentioned, the texts of a node stay within a limit together."""
    monkeypatch.setattr(templates, "MAX_RENDERED", 10)
    template = compile_value(["a{{text}}{{text}}", "{{big}}!"])

    with pytest.raises(EvaluationError, match="more than 10 characters"):
        resolve(template, lambda parts: "x" * (8 if parts[0] == "big" else 1))


def test_resolve_of_an_expression_that_fails_raises() -> None:
    """The node fails; there is no value to go on with."""
    template = compile_value("a {{n / 0}}")

    with pytest.raises(EvaluationError, match="n / 0: division by zero"):
        resolve(template, look_up)


@given(value=json_values())
def test_resolve_of_json_without_references_is_that_json(value: Any) -> None:
    """Nothing but references is changed."""
    try:
        template = compile_value(value)
    except ExpressionSyntax:
        return

    assert template.references or resolve(template, look_up).value == value


@given(
    pieces=st.lists(
        st.text(max_size=5) | expressions().map("{{{{{}}}}}".format) | st.sampled_from(["{{", "}}", "{", "}"])
    ),
    data=json_values(),
)
def test_resolve_of_any_text_gives_a_value_or_an_expression_error(pieces: list[str], data: Any) -> None:
    """No text, and no data, makes anything else happen."""
    text = "".join(pieces)
    failed = False

    try:
        resolve(compile_value({"a": [text]}), lambda parts: walk(data, parts[1:]))
    except ExpressionError:
        failed = True

    assert not failed or "{{" in text


def test_what_is_done_to_a_resolved_config_is_not_seen_by_the_next() -> None:
    """A plug-in that sorts a list it was given must not change the workflow for the rest of the process."""
    compiled = compile_config({"fixed": [2, 1], "deep": {"list": [{"a": 1}]}, "raw": {"x": []}}, {"raw": FieldKind.RAW})
    first = resolve_config(compiled, lambda path: UNKNOWN).config

    first["fixed"].sort()
    first["deep"]["list"][0]["a"] = 2
    first["raw"]["x"].append(1)

    second = resolve_config(compiled, lambda path: UNKNOWN).config
    assert second == {"fixed": [2, 1], "deep": {"list": [{"a": 1}]}, "raw": {"x": []}}
