from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from tests.doors import Api, error
from workflows.fields import dumps
from workflows.http.parsers import MOST_LEVELS, BodyParser


def parsed(body: bytes) -> Any:
    return BodyParser().parse(io.BytesIO(body))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, "x", null, true]}', {"a": [1, 2.5, "x", None, True]}),
        ('{"a": "é"}'.encode(), {"a": "é"}),
        (rb'"\ud83d\ude00"', "\U0001f600"),  # a whole pair
        (rb'"\u0000"', "\x00"),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),  # a byte order mark, as some editors leave it
    ],
)
def test_body_that_is_json_is_read_and_can_be_stored(body: bytes, value: Any) -> None:
    """What is let in can be written and told again as it came."""
    read = parsed(body)

    assert read == value
    assert json.loads(dumps(read).encode()) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "broken off"),
        (b"{'a': 1}", "not JSON"),
        (b"NaN", "not JSON, though Python reads it"),
        (b'{"a": -Infinity}', "not JSON, though Python reads it"),
        (b"1e999", "infinite once it is read"),
        (b"9" * 5000, "longer than Python reads"),
        (rb'{"a": "\ud800"}', "half of a surrogate pair: no UTF-8 for the database"),
        (rb'{"\uDFFF": 1}', "the same, in a key"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[" * 100_000, "nested past Python's limit"),
        (b"[" * (MOST_LEVELS + 1) + b"]" * (MOST_LEVELS + 1), "nested past ours"),
    ],
)
def test_body_that_could_not_be_stored_is_refused(body: bytes, reason: str) -> None:
    """Refused at the door: further in it would be a 500."""
    with pytest.raises(ParseError):
        parsed(body)


def test_body_nested_to_the_limit_is_read() -> None:
    """The limit is a limit and not one less."""
    deepest = b"[" * MOST_LEVELS + b"]" * MOST_LEVELS

    read = parsed(deepest)

    assert json.dumps(read).encode() == deepest


def test_body_that_is_not_json_answers_with_a_400(api: Api) -> None:
    """The sentence says what is wrong with it."""
    response = api.post("/workflows/validate", b'{"definition": ')

    told = error(response, 400, "malformed_body")["message"]
    assert told == "The body is not JSON we can store: Expecting value: line 1 column 16 (char 15)"


def test_body_larger_than_the_limit_answers_with_a_413(api: Api) -> None:
    """The limit holds for JSON too, whose parser would otherwise read on."""
    response = api.post("/workflows/validate", b'{"definition": {"a": "' + b"x" * (10 * 1024 * 1024) + b'"}}')

    assert error(response, 413, "payload_too_large")["message"] == "The body is larger than 10 MB."
