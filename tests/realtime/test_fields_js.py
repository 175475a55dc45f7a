"""Forms that the page makes of schemas: the fields that they have, and the answers that what is written in them is."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.answers import check_answer, from_form
from tests.realtime.javascript import javascript, needs_node

pytestmark = needs_node

RELEASE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "title": "Title", "minLength": 3, "maxLength": 40},
        "notes": {"type": "string", "description": "What is new"},
        "count": {"type": "integer", "minimum": 1, "maximum": 500},
        "share": {"type": "number"},
        "urgent": {"type": "boolean"},
        "size": {"enum": ["s", "m", 3]},
        "where": {"type": "string", "enum": ["here", "there"], "default": "there"},
        "mail": {"type": "string", "format": "email"},
        "more": {"type": "object"},
        "any": True,
    },
    "required": ["title", "count", "urgent", "where"],
}


def wait(schema: Any = None, **fields: Any) -> dict[str, Any]:
    return {"schema": schema, "form": {}, "votes": None, **fields}


def fields(wait: dict[str, Any]) -> dict[str, dict[str, Any]]:
    (made,) = javascript("forms", [wait])
    return {field["name"]: field for field in made}


def answer(wait: dict[str, Any], **texts: str) -> dict[str, Any]:
    (told,) = javascript("answers", [{"wait": wait, "texts": texts}])
    return told


def test_properties_are_fields_by_their_kinds() -> None:
    """In the order in which they are drawn."""
    made = fields(wait(RELEASE))

    assert {name: (field["control"], field["required"]) for name, field in made.items()} == {
        "title": ("line", True),
        "notes": ("lines", False),
        "count": ("number", True),
        "share": ("number", False),
        "urgent": ("choice", True),
        "size": ("list", False),
        "where": ("choice", True),
        "mail": ("line", False),
        "more": ("json", False),
        "any": ("lines", False),
    }
    assert (made["title"]["label"], made["notes"]["label"], made["notes"]["help"]) == ("Title", "notes", "What is new")
    assert (made["where"]["value"], made["mail"]["input"]) == ("there", "email")
    assert made["size"]["options"] == [['"s"', "s"], ['"m"', "m"], ["3", "3"]]


@pytest.mark.parametrize(
    ("asked", "control", "required"),
    [
        (wait(), "lines", True),
        (wait(form={"inputType": "boolean"}), "choice", True),
        (wait(form={"inputType": "boolean", "required": False}), "list", False),
        (wait({"type": "string", "maxLength": 20}, form={"inputType": "text"}), "line", True),
        (wait({"anyOf": [{"type": "null"}, {"type": "number"}]}, form={"required": False}), "number", False),
        (wait({"type": "array"}), "json", True),
        (wait(votes={"needed": 2, "voters": 3}), "choice", True),
    ],
    ids=["anything", "yes-or-no", "or-nothing", "a-line", "number-or-null", "list", "vote"],
)
def test_any_other_answer_is_one_field(asked: dict[str, Any], control: str, required: bool) -> None:
    """Which is called `answer`, as on the public page."""
    made = fields(asked)

    assert {name: (field["control"], field["required"]) for name, field in made.items()} == {
        "answer": (control, required)
    }


GOOD = {"title": "Seven", "count": "7", "urgent": "false", "where": "here"}


@pytest.mark.parametrize(
    "texts",
    [
        GOOD,
        {**GOOD, "share": "0.5", "size": "3", "more": '{"a": [1]}', "any": "[1, 2]", "notes": "one\r\ntwo"},
        {**GOOD, "size": '"m"', "mail": "ada@example.org", "any": "not JSON", "share": "1e3"},
    ],
    ids=["least", "all", "others"],
)
def test_what_is_written_is_the_answer_that_the_server_reads(texts: dict[str, str]) -> None:
    """Page and public form read the same fields alike, and what the page sends is taken."""
    told = answer(wait(RELEASE), **texts)

    assert told == {"value": from_form(RELEASE, {}, texts), "wrong": {}}
    assert check_answer(RELEASE, told["value"]) == []


@pytest.mark.parametrize(
    ("texts", "wrong"),
    [
        ({}, dict.fromkeys(("title", "count", "urgent", "where"), "This is needed.")),
        ({**GOOD, "title": "ab"}, {"title": "At least 3 characters."}),
        ({**GOOD, "title": "😀" * 40}, {}),  # code points, as the server counts
        ({**GOOD, "count": "501"}, {"count": "At most 500."}),
        ({**GOOD, "count": "1.5"}, {"count": "Write a whole number."}),
        ({**GOOD, "share": "much"}, {"share": "Write a number."}),
        ({**GOOD, "title": "   "}, {"title": "This is needed."}),
    ],
    ids=["nothing", "short", "emoji", "large", "fraction", "no-number", "blank"],
)
def test_what_is_wrong_is_said_of_its_field(texts: dict[str, str], wrong: dict[str, str]) -> None:
    """Before anything is sent."""
    assert answer(wait(RELEASE), **texts)["wrong"] == wrong


def test_what_reads_as_no_json_is_refused_where_it_has_to_be() -> None:
    """Where anything may be answered, it is a text."""
    assert answer(wait(RELEASE), **GOOD, more="{")["wrong"]["more"].startswith("This has to be JSON: ")
    assert answer(wait(), answer="{") == {"value": "{", "wrong": {}}


def test_optional_answer_that_is_empty_is_null() -> None:
    """As on the public page."""
    assert answer(wait(form={"required": False}), answer="")["value"] is None


def test_sentences_of_the_server_are_placed_at_their_fields() -> None:
    """The longest name that a sentence begins with is its owner; what is about none is said of the whole."""
    schema = {"properties": {"item": {"type": "string"}, "item.name": {"type": "string"}}}
    sentences = ["item must be text.", "item.name is missing.", "item[0] is odd.", "other is not asked for."]

    assert javascript("placed", {"wait": wait(schema), "sentences": sentences}) == {
        "item": "item must be text. item[0] is odd.",
        "item.name": "item.name is missing.",
        "": "other is not asked for.",
    }
