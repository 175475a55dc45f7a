from __future__ import annotations

import json
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.answers import check_answer, decided, from_form, object_schema

ORDER = {
    "type": "object",
    "properties": {
        "amount": {"type": "number", "minimum": 1},
        "lines": {"type": "array", "items": {"type": "object", "required": ["sku"]}},
    },
    "required": ["amount"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        (None, {"anything": [1]}, []),
        ({}, None, []),
        (ORDER, {"amount": 5, "lines": [{"sku": "a"}]}, []),
        (ORDER, {"amount": "5"}, ["amount must be a number, not text."]),
        ({"type": "number"}, True, ["The answer must be a number, not true or false."]),
        ({"type": "integer"}, 1.5, ["The answer must be a whole number, not a number."]),
        ({"type": ["string", "null"]}, [], ["The answer must be text or null, not a list."]),
        (ORDER, {}, ["amount is missing."]),
        ({"required": ["a", "b"]}, {}, ["a is missing.", "b is missing."]),
        (ORDER, {"amount": 0.5}, ["amount must be at least 1."]),
        (ORDER, {"amount": 1, "lines": [{"sku": "a"}, {}]}, ["lines[1].sku is missing."]),
        (ORDER, {"amount": 1, "note": "x"}, ["note is not asked for."]),
        ({"properties": {"a": {"enum": ["yes", "no", None]}}}, {"a": "maybe"}, ["a must be yes, no or null."]),
        ({"const": {"a": 1}}, 1, ['The answer must be {"a":1}.']),
        ({"const": "x" * 200}, 1, [f"The answer must be {'x' * 100}…."]),
        ({"pattern": "^{2}$"}, "x", ["The answer must match the pattern ^{2}$."]),
        ({"minLength": 1}, "", ["The answer must have at least 1 character."]),
        ({"minLength": 2}, "a", ["The answer must have at least 2 characters."]),
        ({"maxLength": 2}, "abc", ["The answer must have at most 2 characters."]),
        ({"maximum": 2}, 3, ["The answer must be at most 2."]),
        ({"exclusiveMinimum": 2}, 2, ["The answer must be more than 2."]),
        ({"exclusiveMaximum": 2}, 2, ["The answer must be less than 2."]),
        ({"multipleOf": 5}, 7, ["The answer must be a multiple of 5."]),
        ({"minItems": 1}, [], ["The answer must have at least 1 item."]),
        ({"maxItems": 1}, [1, 2], ["The answer must have at most 1 item."]),
        ({"uniqueItems": True}, [1, 1], ["The answer must not have one item twice."]),
        ({"minProperties": 2}, {}, ["The answer must have at least 2 fields."]),
        ({"maxProperties": 0}, {"a": 1}, ["The answer must have at most 0 fields."]),
        ({"contains": {"const": 1}}, [2], ["The answer lacks an item that it must have."]),
        ({"not": {"const": 1}}, 1, ["The answer is what it must not be."]),
        ({"properties": {"a": False}}, {"a": 1}, ["The answer has what is not asked for."]),
        (
            {"dependentRequired": {"a": ["b"]}},
            {"a": 1},
            ["The answer does not fit: 'b' is a dependency of 'a'."],  # in the library's words
        ),
        # One of several: what is wrong by the only one that is for its kind, else what kinds there are.
        ({"anyOf": [{"type": "null"}, ORDER]}, {"amount": "5"}, ["amount must be a number, not text."]),
        ({"anyOf": [{"type": "null"}, {"anyOf": [{"type": "null"}, ORDER]}]}, {}, ["amount is missing."]),
        ({"anyOf": [{"type": "null"}, ORDER]}, 1, ["The answer must be null or an object, not a number."]),
        ({"anyOf": [{"minimum": 5}, {"maximum": 1}]}, 3, ["The answer fits none of the ways in which it may be written."]),
        ({"oneOf": [{"minimum": 1}, {}]}, 3, ["The answer fits more than one of the ways in which it may be written."]),
        ({"$ref": "#"}, 1, ["The answer is too large, or too deeply nested, to be checked."]),
    ],
)  # fmt: skip
def test_check_answer_tells_what_does_not_fit_and_where(schema: Any, value: Any, told: list[str]) -> None:
    """Whoever sent it can mend it."""
    assert check_answer(schema, value) == told


def test_check_answer_of_one_mistake_many_times_over_tells_a_few() -> None:
    """Each in a sentence that names its place."""
    told = check_answer({"items": {"type": "number"}}, ["a"] * 1_000)

    assert told[:2] == ["[0] must be a number, not text.", "[1] must be a number, not text."]
    assert len(told) == 20


@pytest.mark.parametrize(
    ("schema", "form", "text", "answer"),
    [
        ({"type": "string"}, {"inputType": "text"}, "12", "12"),
        (None, {"inputType": "text"}, "a\r\nb ", "a\nb "),
        (None, {"inputType": "number"}, " 12 ", 12),
        (None, {"inputType": "number"}, "1.50", 1.5),
        (None, {"inputType": "boolean"}, "true", True),
        (None, {"inputType": "boolean"}, "No", False),
        (None, {"inputType": "boolean"}, "on", True),
        (None, {"inputType": "json"}, '{"a": [1]}', {"a": [1]}),
        (None, {"inputType": "json"}, "{}", {}),
        # Where the form does not say, the schema does.
        ({"type": "string"}, {}, "12", "12"),
        ({"type": ["null", "number"]}, {}, "12", 12),
        ({"type": "integer"}, {}, "12", 12),
        ({"type": "boolean"}, {}, "yes", True),
        ({"type": "array"}, {}, "[1]", [1]),
        # Nor the schema: JSON where it reads as such.
        (None, {}, "looks good", "looks good"),
        ({}, {}, '{"approved": true}', {"approved": True}),
        (None, {}, "12", 12),
        (None, {}, "1e999", "1e999"),
        # Nothing at all.
        (None, {"inputType": "text", "required": False}, " ", None),
        (None, {"inputType": "number", "required": False}, "", None),
    ],
)
def test_from_form_reads_a_field_as_what_is_asked_for(schema: Any, form: Any, text: str, answer: Any) -> None:
    """A form sends nothing but text."""
    read = from_form(schema, form, {"csrfmiddlewaretoken": "x", "answer": text})

    assert (read, type(read)) == (answer, type(answer))


@pytest.mark.parametrize(
    ("form", "text", "told"),
    [
        ({"inputType": "text"}, " ", "An answer is needed."),
        ({"inputType": "text", "required": True}, "", "An answer is needed."),
        ({"inputType": "number"}, "twelve", "The answer must be a number, not 'twelve'."),
        ({"inputType": "number"}, "1e999", "The answer must be a number, not '1e999'."),
        ({"inputType": "boolean"}, "maybe", "The answer must be true or false, not 'maybe'."),
        ({"inputType": "json"}, "{a}", "The answer must be JSON: Expecting property name enclosed in double quotes"),
        ({"inputType": "json"}, "1e999", "The answer must be JSON: Out of range float values are not JSON compliant"),
        ({"inputType": "json"}, '"\\ud800"', "The answer must be JSON: 'utf-8' codec can't encode"),
        ({"inputType": "json"}, "[" * 201 + "]" * 201, "The answer must be JSON: it is nested more than 200 levels deep."),
    ],
)  # fmt: skip
def test_from_form_of_what_reads_as_no_answer_says_so(form: Any, text: str, told: str) -> None:
    """Beside the form, which is shown again."""
    with pytest.raises(ValueError) as error:
        from_form(None, form, {"answer": text})

    assert str(error.value).startswith(told)


FIELDS = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean"},
        "amount": {"type": "number"},
        "note": {"type": "string"},
        "tags": {"type": "array"},
        "answer": {"type": "string"},
    },
}


@pytest.mark.parametrize("schema", [FIELDS, {"anyOf": [{"type": "null"}, {"$id": "urn:answer", **FIELDS}]}])
def test_from_form_with_a_field_for_each_property_reads_an_object(schema: Any) -> None:
    """Fields that are not asked for are left out, and so are those that nobody filled in."""
    fields = {"approved": "on", "amount": "5", "note": "7", "tags": '["a"]', "answer": " ", "csrfmiddlewaretoken": "x"}

    assert from_form(schema, {}, fields) == {"approved": True, "amount": 5, "note": "7", "tags": ["a"]}


def test_from_form_with_a_field_that_reads_as_none_names_it() -> None:
    """There are several."""
    with pytest.raises(ValueError, match="amount must be a number, not 'five'"):
        from_form(FIELDS, {}, {"amount": "five"})


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        (ORDER, ORDER),
        ({"anyOf": [{"type": "null"}, ORDER, {"properties": {"other": {}}}]}, ORDER),
        ({"anyOf": [{"anyOf": [ORDER]}]}, ORDER),
        ({"type": "object"}, {}),
        ({"anyOf": [True]}, {}),
        (None, {}),
    ],
)
def test_object_schema_is_the_first_that_describes_one(schema: Any, found: Any) -> None:
    """A page has a field for each of its properties, and `from_form` reads them."""
    assert object_schema(schema) == found


@pytest.mark.parametrize("fields", [{}, {"note": ""}])
def test_from_form_without_any_field_filled_in_is_no_answer(fields: dict[str, str]) -> None:
    """Null where that is allowed."""
    assert from_form(FIELDS, {"required": False}, fields) is None
    with pytest.raises(ValueError, match="An answer is needed"):
        from_form(FIELDS, {}, fields)


@given(
    value=st.recursive(
        st.booleans() | st.integers(-9, 9), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_from_form_of_a_values_json_is_that_value(value: Any) -> None:
    """What a page shows is what comes back."""
    assert from_form(None, {"inputType": "json"}, {"answer": json.dumps(value)}) == value


@pytest.mark.parametrize(
    ("needed", "voters", "votes", "verdict"),
    [
        (1, 1, [], None),
        (1, 1, [True], True),
        (1, 1, [False], False),
        (2, 3, [True], None),
        (2, 3, [True, False], None),
        (2, 3, [True, False, True], True),
        (2, 3, [False, False], False),  # whatever the third says
        (3, 3, [True, False], False),
        (1, 3, [False, False], None),
    ],
)
def test_decided_as_soon_as_no_vote_can_change_it(
    needed: int, voters: int, votes: list[bool], verdict: bool | None
) -> None:
    """Neither earlier nor later."""
    assert decided(needed, voters, votes) is verdict


@given(st.integers(1, 4).flatmap(lambda voters: st.tuples(st.integers(1, voters), st.just(voters))), st.data())
def test_decided_is_what_all_ends_of_the_vote_have_in_common(rule: tuple[int, int], data: st.DataObject) -> None:
    """Those that are still possible are gone through."""
    needed, voters = rule
    votes = data.draw(st.lists(st.booleans(), max_size=voters))

    ends = {sum([*votes, *rest]) >= needed for rest in product([True, False], repeat=voters - len(votes))}

    assert decided(needed, voters, votes) is (ends.pop() if len(ends) == 1 else None)
