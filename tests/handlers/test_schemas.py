from __future__ import annotations

from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from handlers.schemas import MAX_SCHEMA_LENGTH, TooIntricate, errors_of, find_fault

NAMES = st.sampled_from(["a", "b", "ab"])
SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0]) | NAMES
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner), max_leaves=6)
KINDS = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])


def described(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A schema of a few keywords, *inner* the schemas in it."""
    by_name = st.dictionaries(NAMES, inner, max_size=2)
    keywords = {
        "type": KINDS | st.lists(KINDS, min_size=1, max_size=3, unique=True),
        "enum": st.lists(SCALARS, min_size=1, max_size=3),
        "minimum": st.integers(-1, 1),
        "minLength": st.integers(0, 2),
        "pattern": st.sampled_from(["a", "^b", "^a?b$"]),
        "required": st.lists(NAMES, max_size=2, unique=True),
        "properties": by_name,
        "patternProperties": st.dictionaries(st.sampled_from(["a", "^b"]), inner, max_size=2),
        "additionalProperties": inner,
        "items": inner,
        "uniqueItems": st.booleans(),
        "contains": inner,
        "not": inner,
        "allOf": st.lists(inner, min_size=1, max_size=2),
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "oneOf": st.lists(inner, min_size=1, max_size=2),
    }
    return st.fixed_dictionaries({}, optional=keywords)


SCHEMAS = st.recursive(st.booleans() | described(st.booleans()), described, max_leaves=5).filter(
    lambda schema: isinstance(schema, dict)
)


@given(schema=SCHEMAS, value=JSON)
def test_errors_of_a_value_are_there_exactly_when_the_draft_says_so(schema: Any, value: Any) -> None:
    """What was put in the place of the library's own means the same."""
    assert find_fault(schema) is None

    assert (errors_of(schema, value) == []) is Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        ({"$defs": {"n": {"type": "number"}}, "items": {"$ref": "#/$defs/n"}}, [1], True),
        ({"$defs": {"n": {"type": "number"}}, "items": {"$ref": "#/$defs/n"}}, ["1"], False),
        ({"$ref": "#/$defs/any", "$defs": {"any": True}}, 1, True),
        ({"$ref": "#here", "$defs": {"n": {"$anchor": "here", "type": "null"}}}, 1, False),
        ({"$id": "urn:a", "$ref": "urn:a#/$defs/n", "$defs": {"n": {"type": "null"}}}, 1, False),
        # References in a schema of its own are relative to that.
        ({"anyOf": [{"$id": "urn:a", "$ref": "#/$defs/n", "$defs": {"n": {"type": "null"}}}]}, None, True),
        ({"properties": {"next": {"$ref": "#"}}, "required": ["n"]}, {"n": 1, "next": {"n": 2}}, True),
        ({"properties": {"next": {"$ref": "#"}}, "required": ["n"]}, {"n": 1, "next": {}}, False),
        ({"uniqueItems": True}, [1, True, [1], [True], "1"], True),
        ({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2, "a": 1.0}], False),
        ({"format": "email"}, "no address", True),  # a remark
        (
            {"properties": {"$ref": {}, "pattern": {}, "unevaluatedItems": {}}},
            {"$ref": 1},
            True,
        ),  # fields of such names
    ],
)
def test_errors_of_a_value_by_schemas_of_a_kind_of_their_own(schema: dict[str, Any], value: Any, fits: bool) -> None:
    """References, equality, formats, names."""
    assert find_fault(schema) is None

    assert (errors_of(schema, value) == []) is fits


@pytest.mark.parametrize("dialect", ["http://json-schema.org/draft-07/schema#", "urn:unheard-of"])
def test_errors_of_a_schema_of_another_dialect_are_found_by_the_same_means(dialect: str) -> None:
    """By its name, the library would take up a validator whose patterns are Python's."""
    started = monotonic()

    errors = errors_of({"$schema": dialect, "pattern": "(a+)+$"}, "a" * 5_000 + "b")

    assert [error.validator for error in errors] == ["pattern"]
    assert monotonic() - started < 2


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        ([], "A JSON Schema is an object."),
        (True, "A JSON Schema is an object."),
        ({"const": float("nan")}, "A JSON Schema is JSON itself."),
        ({"const": {1, 2}}, "A JSON Schema is JSON itself."),
        (
            {"description": "x" * MAX_SCHEMA_LENGTH},
            "A JSON Schema has at most 32,768 characters; this one has 32,787.",
        ),
        (
            {"properties": {"a": {"minLength": -1}}},
            "The JSON Schema is wrong at properties.a.minLength: -1 is less than the minimum of 0.",
        ),
        ({"type": "text"}, "The JSON Schema is wrong at type: 'text' is not valid under any of the given schemas."),
        ({"minLength": "2"}, "The JSON Schema is wrong at minLength: '2' is not of type 'integer'."),
        ({"items": {"$ref": "#/$defs/n"}}, "The JSON Schema refers to '#/$defs/n', which is no schema in it."),
        (
            {"$ref": "#/allOf/first", "allOf": [{}]},
            "The JSON Schema refers to '#/allOf/first', which is no schema in it.",
        ),
        ({"$ref": "#nowhere"}, "The JSON Schema refers to '#nowhere', which is no schema in it."),
        ({"$ref": "http://[", "$defs": {}}, "The JSON Schema refers to 'http://[', which is no schema in it."),
        # What is no schema has not been looked at.
        (
            {"$ref": "#/enum/0", "enum": [{"type": 5}]},
            "The JSON Schema refers to '#/enum/0', which is no schema in it.",
        ),
        ({"properties": {"a": {"$schema": "urn:a"}}}, "`$schema` stands at the top of a JSON Schema only."),
        ({"items": {"unevaluatedProperties": False}}, "`unevaluatedProperties` is not understood here."),
        ({"$dynamicRef": "#a", "$dynamicAnchor": "a"}, "`$dynamicRef` is not understood here."),
        (
            {"items": {"pattern": "^(?=a)"}},
            (
                "The pattern '^(?=a)' is not one of RE2, which has no lookaround and no backreferences:"
                " invalid perl operator: (?=."
            ),
        ),
        (
            {"patternProperties": {"(": {}}},
            "The pattern '(' is not one of RE2, which has no lookaround and no backreferences: missing ): (.",
        ),
        ({"pattern": "a" * 1_001}, "A pattern has at most 1,000 characters."),
    ],
)
def test_find_fault_says_why_a_schema_cannot_be_used(schema: Any, fault: str) -> None:
    """Before anybody is asked: nobody could answer by it."""
    assert find_fault(schema) == fault


@pytest.mark.parametrize(
    "reference",
    [
        "http://127.0.0.1:9/schema.json",
        "file:///etc/hosts",
        "other.json",
        "https://json-schema.org/draft/2020-12/schema",
    ],
)
def test_find_fault_of_a_reference_that_leads_out_refuses_it(reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema is no way to have the server fetch something."""
    monkeypatch.setattr("urllib.request.urlopen", lambda *_: pytest.fail("it was fetched"))

    assert find_fault({"$ref": reference}) == f"The JSON Schema refers to {reference!r}, which is no schema in it."


@pytest.mark.parametrize(("levels", "fault"), [(48, None), (49, "A JSON Schema is nested at most 48 levels deep.")])
def test_find_fault_of_a_deep_schema_refuses_it(levels: int, fault: str | None) -> None:
    """The same wherever it is asked, and not by how much of the stack is left there."""
    deep: dict[str, Any] = {}
    for _ in range(levels - 1):
        deep = {"not": deep}

    assert find_fault(deep) == fault


def doubling(depth: int) -> dict[str, Any]:
    """Each definition asks for the next one twice."""
    asked = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(depth)}
    return {"$ref": "#/$defs/d0", "$defs": {**asked, f"d{depth}": {}}}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"$ref": "#"}, 1),  # itself, for ever
        (doubling(40), 1),  # a million million steps
        ({"items": {"type": "number"}}, [1] * 200_000),
        ({"multipleOf": 0.5}, 10**400),  # there is no such float
    ],
)
def test_errors_of_a_value_that_is_too_much_are_not_looked_for(schema: dict[str, Any], value: Any) -> None:
    """Who answers waits for it, and so does a process of ours."""
    started = monotonic()

    assert find_fault(schema) is None
    with pytest.raises(TooIntricate):
        errors_of(schema, value)

    assert monotonic() - started < 10


def test_errors_of_a_long_list_of_objects_are_found_at_once() -> None:
    """To compare each with each would take hours."""
    started = monotonic()

    errors = errors_of({"uniqueItems": True}, [{"n": n} for n in range(100_000)] + [{"n": 0}])

    assert len(errors) == 1
    assert monotonic() - started < 10


def test_errors_of_a_value_that_is_wrong_all_over_are_the_first_few() -> None:
    """Nobody reads ten thousand sentences."""
    assert len(errors_of({"items": {"type": "number"}}, ["a"] * 10_000)) == 20
