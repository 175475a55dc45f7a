from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executions.models import Waitpoint
from executions.waitpoints.forms import Control, Field, Form, form_of
from handlers.answers import check_answer, from_form

ORDER = {
    "type": "object",
    "required": ["amount", "size"],
    "properties": {
        "amount": {"type": "integer", "title": "Amount", "minimum": 1, "maximum": 100, "default": 3},
        "size": {"type": "string", "enum": ["S", "M"]},
        "gift": {"type": "boolean", "description": "It is wrapped."},
        "note": {"type": "string", "maxLength": 80},
        "address": {"type": "object"},
        "else": True,
    },
}


def asked(schema: Any = None, *, typed: Mapping[str, str] | None = None, wrong: Any = (), **fields: Any) -> Form:
    return form_of(Waitpoint(schema=schema, **fields), typed=typed, wrong=wrong)


def only(form: Form) -> Field:
    [field] = form.fields
    return field


@pytest.mark.parametrize(
    ("schema", "form", "control", "options"),
    [
        (None, {}, Control.LINES, []),
        (None, {"inputType": "json"}, Control.JSON, []),
        ({"type": "string"}, {"inputType": "text"}, Control.LINES, []),
        ({"type": "string", "maxLength": 80}, {}, Control.LINE, []),
        ({"type": ["number", "null"]}, {}, Control.NUMBER, []),
        ({"type": "boolean"}, {}, Control.BUTTONS, ["true", "false"]),
        ({"type": "boolean"}, {"required": False}, Control.LIST, ["true", "false"]),
        ({"enum": ["a", "b"]}, {}, Control.BUTTONS, ['"a"', '"b"']),
        ({"enum": ["a", "b"]}, {"inputType": "text"}, Control.BUTTONS, ["a", "b"]),
        ({"enum": [1, None, "1"]}, {}, Control.BUTTONS, ["1", '"1"']),
        ({"enum": [*range(7)]}, {}, Control.LIST, [*"0123456"]),
        ({"anyOf": [{"type": "null"}, {"enum": ["a"]}]}, {"inputType": "text"}, Control.BUTTONS, ["a"]),
        ({"type": "array"}, {}, Control.JSON, []),
    ],
)
def test_answer_that_is_one_value_is_asked_for_in_one_field(
    schema: Any, form: Any, control: Control, options: list[str]
) -> None:
    """By what it has to be; `form` goes before the schema, as in `from_form`."""
    field = only(asked(schema, form=form))

    assert (field.name, field.control, [value for value, _ in field.options]) == ("answer", control, options)
    assert field.is_required is form.get("required", True)


def test_vote_is_asked_for_by_yes_and_no() -> None:
    """Whatever the schema does not say."""
    field = only(asked(votes_needed=2, voters=3))

    assert (field.control, list(field.options)) == (Control.BUTTONS, [("true", "Yes"), ("false", "No")])


def test_properties_of_an_object_are_a_field_each() -> None:
    """With what the author says of each; what is no simple value is JSON."""
    fields = {field.name: field for field in asked(ORDER, form={"inputType": "json"}).fields}

    assert {name: field.control for name, field in fields.items()} == {
        "amount": Control.NUMBER,
        "size": Control.BUTTONS,
        "gift": Control.LIST,
        "note": Control.LINE,
        "address": Control.JSON,
        "else": Control.LINES,
    }
    amount, gift = fields["amount"], fields["gift"]
    assert (amount.label, amount.least, amount.most, amount.is_whole, amount.value) == ("Amount", 1, 100, True, "3")
    assert (gift.label, gift.help, gift.is_required) == ("gift", "It is wrapped.", False)


def test_object_that_may_be_null_is_asked_for_by_its_properties() -> None:
    """As `required: false` draws it; left empty as a whole, it is null, so none of them is needed."""
    form = asked({"anyOf": [{"type": "null"}, ORDER]}, form={"required": False})

    assert [field.name for field in form.fields] == [*ORDER["properties"]]
    assert not any(field.is_required for field in form.fields)


@pytest.mark.parametrize(
    ("schema", "form", "value"),
    [
        ({"type": "string"}, {"defaultValue": "as it was"}, "as it was"),
        ({"type": "boolean"}, {"defaultValue": False}, "false"),
        ({"type": "number", "default": 1.5}, {}, "1.5"),
        (None, {"defaultValue": {"a": [1]}}, '{"a": [1]}'),
        (None, {"defaultValue": "text"}, '"text"'),
    ],
)
def test_default_stands_in_its_field(schema: Any, form: Any, value: str) -> None:
    """Written as it will be read."""
    field = only(asked(schema, form=form))

    assert field.value == value
    assert from_form(schema, form, {"answer": field.value}) == form.get("defaultValue", 1.5)


def test_default_of_an_object_stands_in_its_fields() -> None:
    """Each property in its own."""
    form = asked(ORDER, form={"defaultValue": {"size": "M", "amount": 7}})

    assert {field.name: field.value for field in form.fields if field.value} == {"size": "M", "amount": "7"}


def test_refused_answer_stands_as_it_was_typed_beside_what_is_wrong_with_it() -> None:
    """Nobody types it all again."""
    wrong = ["amount must be at most 100.", "size is missing.", "address.zip is missing.", "The answer is too large."]

    form = asked(ORDER, typed={"amount": "1000", "note": "x"}, wrong=wrong)

    assert {field.name: (field.value, list(field.wrong)) for field in form.fields if field.value or field.wrong} == {
        "amount": ("1000", ["amount must be at most 100."]),
        "size": ("", ["size is missing."]),
        "note": ("x", []),
        "address": ("", ["address.zip is missing."]),
    }
    assert (list(form.wrong), form.is_refused) == (["The answer is too large."], True)


def test_sentence_is_about_the_field_with_the_longest_name_that_it_begins_with() -> None:
    """`a b` is no sentence about `a`."""
    schema = {"properties": {"a": {}, "a b": {}}}

    form = asked(schema, wrong=["a b must be text."])

    assert [list(field.wrong) for field in form.fields] == [[], ["a b must be text."]]


def test_whatever_is_wrong_with_a_single_value_stands_beside_its_field() -> None:
    """There is no other place."""
    form = asked({"type": "number"}, typed={"answer": "x"}, wrong=["The answer must be a number, not 'x'."])

    assert (only(form).wrong, form.wrong) == (["The answer must be a number, not 'x'."], [])


SIMPLE = st.one_of(
    st.just({"type": "boolean"}),
    st.just({"type": "integer"}),
    st.just({"type": "string"}),
    st.builds(lambda values: {"enum": values}, st.lists(st.text() | st.integers() | st.booleans(), min_size=1)),
)


@given(schema=SIMPLE, data=st.data())
def test_options_that_are_chosen_are_answers_that_fit(schema: Any, data: st.DataObject) -> None:
    """A page never offers what is refused."""
    field = only(asked(schema))

    for value, _ in field.options:
        assert check_answer(schema, from_form(schema, {}, {"answer": value})) == []
