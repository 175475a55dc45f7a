"""The methods and functions, row by row."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.core import EvaluationError, evaluate, parse
from workflows.core.expressions.functions import FUNCTIONS, MAX_ITEMS, METHODS

VALUES: dict[str, Any] = {
    "t": " Abc,abc ",
    "list": ["b", 1, None, "a", [2]],
    "o": {"b": 2, "a": 1},
    "nothing": None,
    "wide": "x" * (MAX_ITEMS + 1),
    "long": ["x" * 300_000] * 4,
}

RESULTS = [
    ("t.trim()", "Abc,abc"),
    ("t.toLowerCase()", " abc,abc "),
    ("t.toUpperCase()", " ABC,ABC "),
    ("t.includes('bc,')", True),
    ("t.includes('zz')", False),
    ("'a1'.includes(1)", True),  # a number is looked for as its text
    ("list.includes(1)", True),
    ("list.includes('1')", False),  # in a list, as === has it
    ("list.includes(null)", True),
    ("t.startsWith(' A')", True),
    ("t.endsWith(' ')", True),
    ("t.indexOf('b')", 2),
    ("t.indexOf('zz')", -1),
    ("list.indexOf('a')", 3),
    ("list.indexOf('zz')", -1),
    ("'a,b,,c'.split(',')", ["a", "b", "", "c"]),
    ("'abc'.split('')", ["a", "b", "c"]),
    ("''.split('')", []),
    ("'hello'.slice(1, 3)", "el"),
    ("'hello'.slice(-2)", "lo"),
    ("'hello'.slice()", "hello"),
    ("list.slice(1, 3)", [1, None]),
    ("list.slice(1.9, '3')", [1, None]),  # positions are cut to whole numbers
    ("'hello'.slice(nothing, 2)", "he"),
    ("list.join('-')", "b-1--a-[2]"),  # null is empty, what is not text is written as JSON
    ("list.slice(0, 2).join()", "b,1"),
    ("Object.keys(o)", ["a", "b"]),  # sorted: the database keeps no order
    ("Object.values(o)", [1, 2]),
    ("Number('0x10')", 16),
    ("Number(' 2.50 ')", 2.5),
    ("Number('')", 0),  # an explicit conversion does as JavaScript's
    ("Number(nothing)", 0),
    ("Number(true)", 1),
    ("String(o)", '{"b":2,"a":1}'),
    ("String(nothing)", "null"),
    ("String(1.0)", "1"),
    ("Boolean('')", False),
    ("Boolean(list)", True),
    ("Math.round(2.5)", 3),  # halves go up
    ("Math.round(-2.5)", -2),
    ("Math.round(0.49999999999999994)", 0),  # where adding a half first would round up
    ("Math.round(1e20)", 10**20),
    ("Math.floor(-1.5)", -2),
    ("Math.ceil(1.2)", 2),
    ("Math.abs('-3')", 3),
    ("Math.min(3, '2', 10)", 2),
    ("Math.max(3)", 3),
]

REFUSALS = [
    ("nothing.trim()", "trim() needs a text, not null"),
    ("o.includes(1)", "includes() needs a text or a list, not an object"),
    ("o.slice(1)", "slice() needs a text or a list, not an object"),
    ("nothing.indexOf(1)", "indexOf() needs a text or a list, not null"),
    ("t.includes(nothing)", "includes() looks for a text, not null"),
    ("t.startsWith(o)", "startsWith() looks for a text, not an object"),
    ("t.join('')", "join() needs a list, not a text"),
    ("list.split(',')", "split() needs a text, not a list"),
    ("list.slice('x')", "slice() needs a number, not a text"),
    ("Object.keys(list)", "Object.keys() needs an object, not a list"),
    ("Object.values(nothing)", "Object.values() needs an object, not null"),
    ("Number('abc')", "Number() needs a number, not a text"),
    ("Math.max(1, nothing)", "Math.max() needs a number, not null"),
    ("wide.split('')", f"split() would make {MAX_ITEMS + 1} items"),
    ("long.join('')", "join() would make a text of more than 1000000 characters"),
]


@pytest.mark.parametrize(("text", "value"), RESULTS)
def test_call_of_a_function_gives_what_javascript_gives(text: str, value: Any) -> None:
    """Where the table says nothing else."""
    result = evaluate(parse(text), lambda parts: VALUES[str(parts[0])])

    assert (result, type(result)) == (value, type(value))


@pytest.mark.parametrize(("text", "said"), REFUSALS)
def test_call_on_the_wrong_kind_says_what_is_needed(text: str, said: str) -> None:
    """And what there was, but not its content: that may be secret."""
    with pytest.raises(EvaluationError) as failed:
        evaluate(parse(text), lambda parts: VALUES[str(parts[0])])

    assert said in str(failed.value)


def test_tables_have_a_test_for_each_function() -> None:
    """A function without a row here would be a promise nobody checks."""
    tested = " ".join(text for text, _ in RESULTS)

    untested = [name for name in METHODS if f".{name}(" not in tested] + [
        name for name in FUNCTIONS if f"{name}(" not in tested
    ]

    assert untested == []
