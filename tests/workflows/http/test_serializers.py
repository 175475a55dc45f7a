from __future__ import annotations

from typing import Any

import pytest
from rest_framework import serializers

from workflows.http.serializers import Body, JSONObjectField, TagsField


class Order(Body):
    item = serializers.CharField()
    note = serializers.CharField(required=False)
    extra = JSONObjectField(required=False)
    tags = TagsField(required=False)


def errors_of(data: Any) -> Any:
    order = Order(data=data)
    order.is_valid()
    return order.errors


def test_body_with_explicit_nulls_is_read_as_if_they_were_absent() -> None:
    """The published client sends null for what it does not have. Inside a JSON value, null is a value."""
    order = Order(data={"item": "tea", "note": None, "extra": {"a": None}, "tags": None})

    is_valid = order.is_valid()

    assert is_valid
    assert order.validated_data == {"item": "tea", "extra": {"a": None}}


def test_body_with_a_null_for_what_is_required_lacks_it() -> None:
    """Absent is absent."""
    told = errors_of({"item": None})

    assert told == {"item": ["This field is required."]}


def test_body_with_unknown_fields_is_refused_with_everything_else_that_is_wrong() -> None:
    """A misspelt key is not lost without a word, and one answer tells it all."""
    told = errors_of({"itme": "tea", "note": ["x"]})

    assert told == {
        "itme": ["Unknown field. Known fields: item, note, extra, tags."],
        "item": ["This field is required."],
        "note": ["Not a valid string."],
    }


@pytest.mark.parametrize(
    ("given", "kind"), [([], "a list"), ("{}", "a text"), (1, "a number"), (1.5, "a number"), (True, "true or false")]
)
def test_json_object_given_something_else_says_what_it_got(given: Any, kind: str) -> None:
    """An object is an object: a JSON text of one is not taken for it."""
    told = errors_of({"item": "tea", "extra": given})

    assert told == {"extra": [f"Expected a JSON object, got {kind}."]}


@pytest.mark.parametrize("data", [[], "x", 5, None])
def test_body_that_is_no_object_is_refused(data: Any) -> None:
    """A body is an object."""
    told = errors_of(data)

    assert list(told) == ["non_field_errors"]


def test_tags_given_twice_count_once_and_keep_their_order() -> None:
    """A tag is there or not."""
    order = Order(data={"item": "tea", "tags": ["b", "a", "b"]})

    is_valid = order.is_valid()

    assert is_valid
    assert order.validated_data["tags"] == ["b", "a"]


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        (["x" * 65], "longer than the column"),
        ([str(number) for number in range(21)], "more than anybody reads"),
        ([""], "empty"),
        (["a\x00b"], "PostgreSQL's text has no NUL"),
        ("a", "not a list"),
    ],
)
def test_tags_that_cannot_be_kept_are_refused(tags: Any, reason: str) -> None:
    """Refused with the field's name, not by the database."""
    told = errors_of({"item": "tea", "tags": tags})

    assert list(told) == ["tags"], reason
