from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.errors import ConfigError, InputError
from handlers.formula import MAX_EXPRESSION_LENGTH, MAX_SECONDS, Formula, find_fault

# What a native function may take after the last look at the clock, on a machine that is busy.
SLACK_SECONDS = 2.0
TWINS = '$reduce([1..40], function($a, $i) { {"l": $a, "r": $a} }, 1)'  # 2 ** 40 leaves, 40 objects
ARROW_HINT = "; => is JavaScript, a function is function($item) { $item * 2 } here"
FOR_EVER = "($f := function() { $f() }; $f())"


@pytest.mark.parametrize(
    ("expression", "context", "value"),
    [
        ("price * qty", {"price": 2, "qty": 3}, 6),
        ("items[price > 5].name", {"items": [{"name": "a", "price": 1}, {"name": "b", "price": 9}]}, "b"),
        ("$sum(items.price)", {"items": [{"price": 1}, {"price": 9}]}, 10),
        ("missing.path", {"a": 1}, None),  # undefined is null
        ("$[0]", [7, 8], 7),  # a list is one context, not several
        ("a = null", {"a": None}, True),  # null is a value
        ("$exists(a)", {"a": None}, True),
        ("$", {"a": [None, {"b": None}]}, {"a": [None, {"b": None}]}),
        ("10 / 4", None, 2.5),
        ("[1..4]", None, [1, 2, 3, 4]),
        ("$distinct([1..3])", None, [1, 2, 3]),
        ('$replace("a-b", /[a-z]/, "x")', None, "x-x"),
        ("$distinct([1, 1.0, true, {'a': 1, 'b': 2}, {'b': 2, 'a': 1}])", None, [1, True, {"a": 1, "b": 2}]),
        ("$spread([{'x': 1, 'y': 2}, {'z': 3}])", None, [{"x": 1}, {"y": 2}, {"z": 3}]),
        ("$join(['a', 'b'], '-') & $pad('c', 3, '.')", None, "a-bc.."),
        ("$string({'a': null})", None, '{"a":null}'),
        ("$ ~> |$|{'x': 1}|", {"a": 2}, {"a": 2, "x": 1}),
    ],
)
def test_formula_evaluates_jsonata(expression: str, context: Any, value: Any) -> None:
    """The language is JSONata; what we put in place of its functions answers as they do."""
    assert Formula(expression)(context) == value


def test_formula_with_names_binds_them_as_variables() -> None:
    """Names are variables beside the context."""
    assert Formula("$rate * amount")({"amount": 10}, rate=0.5) == 5


def test_formula_that_changes_its_context_leaves_the_original_alone() -> None:
    """The context may be another node's output."""
    context: Any = {"list": [3, 1, 2], "none": None}

    Formula("$sort(list)")(context)

    assert context == {"list": [3, 1, 2], "none": None}


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("(", "JSONata: Expected ) before end of expression (at character 1)"),
        ("/*", "JSONata: the expression is not complete."),  # where its parser raises IndexError
        ("(" * 9_000, "JSONata: the expression is not complete."),  # and RecursionError
        ("$match('a', /(?=b)/)", "JSONata: the regular expression is not one of RE2: invalid perl operator: (?="),
        ("$__evaluate_entry", "__evaluate is a reserved name."),
        ("1" * (MAX_EXPRESSION_LENGTH + 1), "The expression has more than 10000 characters."),
        ("x => x * 2", f"JSONata: The symbol > cannot be used as a unary operator (at character 4){ARROW_HINT}"),
    ],
)
def test_find_fault_of_a_bad_expression_tells_the_reason(expression: str, fault: str) -> None:
    """A drawing is told what is wrong with its expression, wherever the parser noticed it."""
    assert find_fault(expression) == fault


def test_find_fault_of_a_good_expression_is_none() -> None:
    """An arrow inside text is no JavaScript."""
    assert find_fault("'a => b' & name") is None


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("'a' + 1", "expression_failed"),  # jsonata's own error
        ("$power(10, 400)", "expression_failed"),  # Python's OverflowError
        ("1 / 0", "expression_failed"),
        ("$match('\ud800', /x/)", "expression_failed"),  # half a character, which RE2 does not take
        ("function($x) { $x }", "expression_failed"),  # a function is no JSON
        ("$eval('1')", "expression_failed"),
        (FOR_EVER, "expression_limit"),
        ("($f := function($n) { 1 + $f($n) }; $f(1))", "expression_limit"),  # depth
        ("[1..10000000]", "expression_limit"),
        ("$pad('x', 500000000)", "expression_limit"),
        ("$reduce([1..40], function($a, $i) { $a & $a }, 'x')", "expression_limit"),
        ("$join($map([1..1000], function($i) { 'x' }), $pad('y', 9000000))", "expression_limit"),
        ("$replace($pad('x', 5000000, 'x'), 'x', 'yyyy')", "expression_limit"),
        ("$replace($pad('x', 1000000, 'x'), /x+/, $pad('', 40, '$0'))", "expression_limit"),  # the text, 20 times
        (TWINS, "expression_limit"),
        (f"$string({TWINS})", "expression_limit"),
        (f"$clone({TWINS})", "expression_limit"),
        (f"$distinct([{TWINS}, 1])", "expression_limit"),
        (f"($t := {TWINS}; $t = $t)", "expression_limit"),
        (f"($t := {TWINS}; $t in [$t])", "expression_limit"),
        (f"{TWINS} & ''", "expression_limit"),
        (f"($t := {TWINS}; $count($t.**))", "expression_limit"),
    ],
)
def test_formula_beyond_a_bound_fails_in_time(expression: str, code: str) -> None:
    """No expression holds a worker, fills its memory or raises anything but the author's error."""
    started = monotonic()

    with pytest.raises(InputError) as failure:
        Formula(expression)({})

    assert failure.value.code == code
    assert monotonic() - started < MAX_SECONDS + SLACK_SECONDS


def test_formula_over_many_items_shares_one_time_limit() -> None:
    """A list cannot multiply the time: it counts from the formula's making."""
    formula = Formula(FOR_EVER, seconds=0.1)
    with pytest.raises(InputError):
        formula({})
    started = monotonic()

    with pytest.raises(InputError, match="time is up"):
        formula({})

    assert monotonic() - started < 0.1


@pytest.fixture
def hurried_threads() -> Iterator[None]:
    """Threads take turns all the time, so that what can happen between two steps does."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_formula_on_two_threads_keeps_their_variables_apart(hurried_threads: None) -> None:
    """One expression runs on several threads at once; what one of them bound is nothing to the other."""
    expression = "[$map([1..20], function($i) { $exists($secret) })]"
    first, second = set[str](), set[str]()

    def evaluate(results: set[str], **names: str) -> None:
        results |= {str(Formula(expression, seconds=30)({}, **names)) for _ in range(60)}

    knowing = Thread(target=evaluate, args=(first,), kwargs={"secret": "s"})
    ignorant = Thread(target=evaluate, args=(second,))
    for thread in (knowing, ignorant):
        thread.start()
    for thread in (knowing, ignorant):
        thread.join()

    assert (first, second) == ({str([True] * 20)}, {str([False] * 20)})


@pytest.mark.parametrize(
    ("value", "truth"),
    [(None, False), (0, False), ("", False), ([], False), ({}, False), ([0], False), ([0, 1], True), ("false", True)],
)
def test_formula_is_true_of_follows_jsonata(value: Any, truth: bool) -> None:
    """An empty list is false in JSONata, and so is a list of nothing true."""
    assert Formula("v").is_true_of({"v": value}) is truth


SIGNS = (
    "$ $data a b . [ ] ( ) { } ' / /a+/ * ** % ^ @ # 1 - + & = != < > ~> := : ; , ? | .. => ` \\ null in and $map $f"
)
PIECES = st.sampled_from([*SIGNS.split(" "), '"x"', "function", " ", "ü", "\ud83d", "\0"])


@settings(max_examples=400, deadline=None)
@given(
    expression=st.lists(PIECES, max_size=14).map("".join),
    context=st.sampled_from([None, {"a": [1, {"b": None}]}, [1, 2]]),
)
def test_formula_of_any_text_raises_nothing_but_the_authors_errors(expression: str, context: Any) -> None:
    """Whatever is written, the node fails with a sentence and the worker goes on."""
    with suppress(ConfigError, InputError):
        Formula(expression, seconds=0.2)(context)
