"""Expressions that are small and want everything, each in a process that the kernel holds to half a gigabyte."""

from __future__ import annotations

from typing import Final

import pytest

from handlers import ConfigError, InputError
from handlers.formula import Formula
from handlers.processes import Bounds, compute
from tests.handlers.fakes import RecordingLent

MB: Final = 1024**2
LIMIT, FAILED, CONFIG, DONE = "expression_limit", "expression_failed", "invalid_config", "done"
BOMBS: Final = {
    "a loop without an end": ("($f := function($n) { $f($n + 1) }; $f(0))", LIMIT),
    "recursion without an end": ("($f := function($n) { 1 + $f($n + 1) }; $f(0))", LIMIT),
    "a regular expression that backtracks": ("$match($pad('a', 5000, 'a') & '!', /(a+)+$/)", DONE),
    "a regular expression of regular expressions": ("$match('a', /(((a{100}){100}){100}){100}/)", CONFIG),
    "matches by the million": ("$match($pad('a', 1000000, 'a'), /a/)", LIMIT),
    "parts by the million": ("$split($pad('a', 9000000, 'a'), /a/)", LIMIT),
    "letters by the million": ("$split($pad('a', 9000000, 'a'), '')", LIMIT),
    "replacements by the million": ("$replace($pad('x', 5000000, 'x'), /x/, 'y')", LIMIT),
    "padding to half a billion": ("$pad('x', 500000000)", LIMIT),
    "padding to the left": ("$pad('x', -500000000)", LIMIT),
    "a range of a billion": ("[1..1000000000]", FAILED),
    "ranges within ranges": ("[1..1000].[1..1000].[1..1000]", LIMIT),
    "a text doubled for ever": ("($d := function($s) { $d($s & $s) }; $d('xxxxxxxx'))", LIMIT),
    "a list doubled for ever": ("($d := function($a) { $d($append($a, $a)) }; $d([1..100]))", LIMIT),
    "a tree of twins": (
        "($d := function($a, $n) { $n = 0 ? $a : $d({'l': $a, 'r': $a}, $n - 1) }; $string($d(1, 40)))",
        LIMIT,
    ),
    "many long texts": ("[1..1000].$pad('x', 1000000)", LIMIT),
    "many long texts of one": ("($s := $pad('x', 1000000); [1..1000].$substring($s, 1))", LIMIT),
    "many long lists": ("($l := [1..400000]; [1..100].$reverse($l))", LIMIT),
    "a long separator": ("$join($map([1..1000], function($i) { 'x' }), $pad('y', 9000000))", LIMIT),
    "a product of lists": ("$zip([1..499999], [1..499999], [1..499999])", LIMIT),
    "a power without end": ("$power(10, 5000)", FAILED),
    "a wide year": ("$fromMillis(1, '[Y,500000000-500000000]')", LIMIT),
    "a long picture of a date": ("$fromMillis(1, $pad('[Y]', 7000000, '[Y]'))", LIMIT),
    "a long picture of a number": ("$formatNumber(1, $pad('0', 1000000, '0'))", LIMIT),
    "a date that could be read in many ways": ("$toMillis($pad('1', 300, '1') & 'x', '[Y][Y][Y][Y][Y][Y]')", FAILED),
    "a date by a regular expression": ("$toMillis($pad('a', 60, 'a') & '!', '(a+)+[Y]')", FAILED),
    "a date in words": ("$toMillis($pad('one ', 400, 'one ') & '1', '[Yw][Mw][Dw][dw][Hw][mw][sw]')", DONE),
    "a number of a million digits": ("$parseInteger($pad('1', 5000000, '1'), '#')", LIMIT),
    "a roman number": ("$formatInteger(1e12, 'I')", LIMIT),
}


def test_each_bomb_ends_with_an_answer_in_half_a_gigabyte() -> None:
    """The worker's other runs are in the same memory."""
    bombs = {name: expression for name, (expression, _) in BOMBS.items()}

    told, _ = compute(
        "tests.handlers.formulas:judge",
        bombs,
        bounds=Bounds(seconds=120, address_bytes=512 * MB),
        lent=RecordingLent(seconds=120),
    )

    assert told == {name: code for name, (_, code) in BOMBS.items()}


@pytest.mark.parametrize(
    ("text", "picture", "expected"),
    [
        ("12.03.2024 10:20", "[D01].[M01].[Y0001] [H01]:[m01]", 1710238800000),
        ("2024-03-12", "[Y0001]-[M01]-[D01]", 1710201600000),
        ("12 March 2024", "[D1] [MNn] [Y]", 1710201600000),
        ("nonsense", "[Y0001]-[M01]-[D01]", None),
    ],
)
def test_dates_are_read_as_before(text: str, picture: str, expected: int | None) -> None:
    assert Formula("$toMillis(text, picture)")({"text": text, "picture": picture}) == expected


def test_a_regular_expression_has_as_many_matches_as_it_may() -> None:
    text = "a" * 50_000

    assert len(Formula("$split(text, /a/)")({"text": text})) == 50_001  # type: ignore[arg-type]  # a list
    with pytest.raises(InputError, match="more than 50000 matches"):
        Formula("$split(text, /a/)")({"text": text + "a"})


def test_values_that_are_only_looked_up_are_not_made_again() -> None:
    """A large text may be looked at as often as it takes."""
    text = "x" * 1_000_000

    assert Formula("$count([1..500].($$.text = 'y'))")({"text": text}) == 500


def test_a_regular_expression_of_a_kind_that_backtracks_is_no_expression() -> None:
    with pytest.raises(ConfigError, match="RE2"):
        Formula(r"$match('aa', /(a)\1/)")
