from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from handlers import Pause, PauseKind, Votes
from handlers.answers import check_answer
from handlers.registry import check_config
from handlers.schemas import find_fault
from tests.handlers.fakes import CATALOGUE, NOW, pause, resume

REVIEW = CATALOGUE["humanReview"]
LEAST = {"prompt": "Approve?", "variableName": "approved"}
ORDER = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"amount": {"$ref": "#/definitions/amount"}},
    "required": ["amount"],
    "definitions": {"amount": {"type": "number"}},
}


def test_human_review_asks_people_for_anything() -> None:
    """The least that can be drawn."""
    assert pause("humanReview", LEAST) == Pause(
        kind=PauseKind.HUMAN, prompt="Approve?", form={"required": True}, state={"variableName": "approved"}
    )


def test_human_review_tells_a_form_how_to_ask() -> None:
    """And when nobody is asked any more."""
    config = {
        "prompt": "How many?",
        "description": "Of the blue ones.",
        "variableName": "n",
        "inputType": "number",
        "placeholder": "12",
        "required": False,
        "defaultValue": 3,
        "validation": {"min": 1, "max": 5},
        "expiresInMs": 60_000,
    }

    assert pause("humanReview", config) == Pause(
        kind=PauseKind.HUMAN,
        prompt="How many?",
        schema={"type": ["number", "null"], "minimum": 1, "maximum": 5},
        form={
            "description": "Of the blue ones.",
            "inputType": "number",
            "placeholder": "12",
            "defaultValue": 3,
            "required": False,
        },
        expires_at=NOW + timedelta(minutes=1),
        state={"variableName": "n", "otherwise": 3},
    )


@pytest.mark.parametrize(
    ("config", "fits", "refused"),
    [
        ({"inputType": "text"}, ["", "a"], [1, None, True, ["a"]]),
        ({"inputType": "text", "required": False}, ["a", None], [1]),
        ({"inputType": "number"}, [1, 1.5], ["1", True, None]),
        ({"inputType": "boolean"}, [True, False], ["true", 1, None]),
        ({"inputType": "json"}, [None, 1, {"a": []}], []),
        ({}, [None, 1, "a"], []),
        ({"inputType": "text", "validation": {"minLength": 2, "maxLength": 3}}, ["ab", "abc"], ["a", "abcd"]),
        ({"inputType": "text", "validation": {"pattern": "^[a-z]+$"}}, ["ab"], ["a1"]),
        ({"inputType": "text", "required": False, "validation": {"minLength": 2}}, [None, "ab"], ["a"]),
        ({"inputType": "number", "validation": {"min": 0, "max": 2}}, [0, 2], [-1, 3]),
        ({"inputType": "text", "validation": {"min": 5}}, ["a"], []),  # of a number, which it is not
        ({"validation": {"minLength": 2}}, ["ab", 1], ["a"]),
        ({"inputType": "json", "validation": {"jsonSchema": ORDER}}, [{"amount": 1}], [{}, {"amount": "1"}, None]),
        ({"required": False, "validation": {"jsonSchema": ORDER}}, [{"amount": 1}, None], [{}, {"amount": "1"}]),
        (
            {"inputType": "text", "validation": {"minLength": 2, "jsonSchema": {"enum": ["a", "ab", 3]}}},
            ["ab"],
            ["a", 3, "abc"],
        ),
        (
            {"inputType": "text", "validation": {"jsonSchema": {"allOf": [{"minLength": 2}]}}},
            ["ab"],
            ["a", 22],
        ),
        ({"validation": {"jsonSchema": ' {"type": "null"} '}}, [None], [1]),  # as text
        ({"validation": {"jsonSchema": " "}}, [None, 1], []),
        ({"validation": None, "inputType": None, "votes": None, "expiresInMs": None}, [1], []),  # an empty form field
    ],
)
def test_human_review_schema_is_all_that_is_asked_of_the_answer(
    config: dict[str, Any], fits: list[Any], refused: list[Any]
) -> None:
    """One schema of the kind of input, its bounds and the author's schema."""
    assert check_config(REVIEW, {**LEAST, **config}) == []
    schema = pause("humanReview", {**LEAST, **config}).schema

    assert schema is None or find_fault(schema) is None
    assert [value for value in fits if check_answer(schema, value)] == []
    assert [value for value in refused if not check_answer(schema, value)] == []


@pytest.mark.parametrize(
    ("config", "answer", "output"),
    [
        ({}, True, {"approved": True}),
        ({}, None, {"approved": None}),
        ({"inputType": "text", "required": False}, None, {"approved": None}),
        ({"inputType": "text", "required": False, "defaultValue": "yes"}, None, {"approved": "yes"}),
        ({"inputType": "text", "required": False, "defaultValue": "yes"}, "", {"approved": ""}),
        ({"inputType": "boolean", "required": False, "defaultValue": True}, False, {"approved": False}),
        ({"inputType": "json", "defaultValue": "yes"}, None, {"approved": None}),  # required: null is the answer
        ({"variableName": None, "outputVariable": "approval"}, {"ok": True}, {"ok": True}),  # is the output
    ],
)
def test_human_review_answered_has_the_answer_by_its_name(config: dict[str, Any], answer: Any, output: Any) -> None:
    """Null is the default, where it may be null."""
    assert resume("humanReview", {**LEAST, **config}, answer) == output


VOTED = {**LEAST, "inputType": "boolean", "votes": {"needed": 2, "voters": 3}}


def test_human_review_by_vote_asks_as_many_as_are_needed() -> None:
    """Each says yes or no, whatever is said of what is required."""
    asked = pause("humanReview", {**VOTED, "required": False, "defaultValue": True})

    assert (asked.votes, asked.schema) == (Votes(needed=2, voters=3), {"type": "boolean"})
    assert asked.form["required"] is True


def test_human_review_that_was_voted_has_the_votes_beside_the_answer() -> None:
    """In the order in which they came."""
    votes = [{"voter": "ada", "answer": True}, {"voter": "bob", "answer": True}]

    assert resume("humanReview", VOTED, True, votes=votes) == {"approved": True, "votes": votes}


def test_human_review_of_an_existing_template_is_understood() -> None:
    """They have another name for the prompt, and say no more."""
    config = {"label": "Review", "reviewPrompt": "Approve {{x}}?", "outputVariable": "approval"}

    assert check_config(REVIEW, config) == []
    assert pause("humanReview", {**config, "reviewPrompt": {"total": 1.0}}).prompt == '{"total":1}'


@pytest.mark.parametrize(
    ("config", "field", "sentence"),
    [
        ({"prompt": " "}, "prompt", "Say what is asked."),
        ({"inputType": "date"}, "inputType", "Input should be 'text', 'number', 'boolean' or 'json'"),
        ({"variableName": " "}, "variableName", "A name is fixed, and not blank."),
        ({"variableName": "{{start.name}}"}, "variableName", "A name is fixed, and not blank."),
        ({"expiresInMs": 0}, "expiresInMs", "A number of milliseconds from 1 to 315619200000, ten years, is needed."),
        ({"expiresInMs": True}, "expiresInMs", "A number of milliseconds from 1 to 315619200000, ten years, is needed."),
        ({"expiresInMs": 10**12}, "expiresInMs", "A number of milliseconds from 1 to 315619200000, ten years, is needed."),
        ({"validation": {"jsonSchema": []}}, "validation.jsonSchema", "Input should be a valid dictionary"),
        (
            {"validation": {"jsonSchema": {"type": "text"}}},
            "validation.jsonSchema",
            "The JSON Schema is wrong at type: 'text' is not valid under any of the given schemas.",
        ),
        (
            {"validation": {"jsonSchema": {"$ref": "https://example.com/order.json"}}},
            "validation.jsonSchema",
            "The JSON Schema refers to 'https://example.com/order.json', which is no schema in it.",
        ),
        (
            {"validation": {"pattern": "("}},
            "validation.pattern",
            "The pattern '(' is not one of RE2, which has no lookaround and no backreferences: missing ): (.",
        ),
        ({"validation": {"min": 2, "max": 1}}, "validation", "Nothing fits: min is more than max."),
        ({"validation": {"minLength": 2, "maxLength": 1}}, "validation", "Nothing fits: minLength is more than maxLength."),
        ({"validation": {"minLength": -1}}, "validation.minLength", "Input should be greater than or equal to 0"),
        (
            {"inputType": "number", "defaultValue": "3"},
            "defaultValue",
            "It is no answer itself: The answer must be a number, not text.",
        ),
        ({"inputType": "text", "votes": {"needed": 1, "voters": 1}}, "votes", "Votes are on yes or no: inputType has to be boolean."),
        ({"inputType": "boolean", "votes": {"needed": 2, "voters": 1}}, "votes", "More votes are needed than there are voters."),
        ({"inputType": "boolean", "votes": {"needed": 0, "voters": 1}}, "votes.needed", "Input should be greater than or equal to 1"),
        (
            {"inputType": "boolean", "votes": {"needed": 1, "voters": 1}, "variableName": None},
            "votes",
            "Beside the votes, the answer needs a variableName; votes is taken.",
        ),
        (
            {"inputType": "boolean", "votes": {"needed": 1, "voters": 1}, "variableName": "votes"},
            "votes",
            "Beside the votes, the answer needs a variableName; votes is taken.",
        ),
    ],
)  # fmt: skip
def test_human_review_that_cannot_be_asked_is_refused(config: dict[str, Any], field: str, sentence: str) -> None:
    """Named, with what would mend it."""
    assert check_config(REVIEW, {**LEAST, **config}) == [(field, sentence)]


@pytest.mark.parametrize(
    "config",
    [
        {"validation": {"jsonSchema": "{{start.schema}}"}},
        {"validation": {"min": "{{start.least}}"}, "inputType": "number", "defaultValue": 5},
        {"expiresInMs": "{{start.patience}}"},
        {"defaultValue": "{{start.guess}}", "inputType": "number"},
    ],
)
def test_human_review_with_templates_is_not_judged_before_it_runs(config: dict[str, Any]) -> None:
    """What they come to is known only then."""
    assert check_config(REVIEW, {**LEAST, **config}) == []


def test_human_review_has_the_handle_of_one_that_expires() -> None:
    """Whatever its configuration is so far."""
    assert REVIEW.handles({}) == ("output", "error", "timeout")
