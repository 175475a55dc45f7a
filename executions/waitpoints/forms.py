"""The fields of a page that asks for an answer: drawn from its JSON Schema, read back by `handlers.answers.from_form`.

The properties of an object are a field each; any other answer is one field, called `answer`. What is neither text, a
number, yes or no, nor one of a few values is written as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from executions.models import Waitpoint
from handlers import JSONValue
from handlers.answers import ANSWER_FIELD, input_type_of, object_schema
from handlers.values import text_of

_MOST_BUTTONS: Final = 6  # values to choose from side by side; more are a list to pull down
_LONG: Final = 200  # characters; a text that may be longer has more than one line
_YES_NO: Final = (("true", "Yes"), ("false", "No"))


class Control(StrEnum):
    """How a field is filled in."""

    LINE = "line"
    LINES = "lines"
    NUMBER = "number"
    BUTTONS = "buttons"  # one of a few
    LIST = "list"  # one of several, or none
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that is asked for."""

    name: str
    label: str
    control: Control
    is_required: bool
    value: str  # what stands in it
    help: str = ""
    placeholder: str = ""
    options: Sequence[tuple[str, str]] = ()  # value and label
    least: int | float | None = None
    most: int | float | None = None
    is_whole: bool = False  # a number without a fraction
    wrong: Sequence[str] = ()  # what is wrong with its value, in sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    fields: Sequence[Field]
    wrong: Sequence[str] = ()  # what is wrong with no field in particular

    @property
    def is_refused(self) -> bool:
        return bool(self.wrong) or any(field.wrong for field in self.fields)


def form_of(waitpoint: Waitpoint, *, typed: Mapping[str, str] | None = None, wrong: Sequence[str] = ()) -> Form:
    """What is asked; and, of an answer that was refused, what was *typed* and what is *wrong* with it."""
    fields = [*_fields(waitpoint)]
    if typed is not None:
        fields = [replace(field, value=typed.get(field.name, "")) for field in fields]
    owners = [_owner(sentence, fields) for sentence in wrong]
    placed = [*zip(wrong, owners, strict=True)]
    return Form(
        fields=[replace(field, wrong=[sentence for sentence, owner in placed if owner is field]) for field in fields],
        wrong=[sentence for sentence, owner in placed if owner is None],
    )


def _fields(waitpoint: Waitpoint) -> Iterator[Field]:
    asked: dict[str, Any] = waitpoint.form
    input_type = "boolean" if waitpoint.votes_needed is not None else asked.get("inputType")
    is_needed = asked.get("required") is not False
    described = object_schema(waitpoint.schema) if input_type in (None, "json") else {}
    if not described:
        schema = _unless_null(waitpoint.schema)
        yield _field(
            ANSWER_FIELD,
            {"default": asked.get("defaultValue"), **schema, "title": "Your answer", "description": ""},
            reads_as=input_type or input_type_of(waitpoint.schema),
            is_required=is_needed,
            placeholder=asked.get("placeholder", ""),
        )
        return
    defaults = asked.get("defaultValue")
    for name, part in described["properties"].items():
        schema = part if isinstance(part, dict) else {}  # true is a schema as well
        if isinstance(defaults, dict) and name in defaults:
            schema = {**schema, "default": defaults[name]}
        is_required = is_needed and name in described.get("required", ())
        yield _field(name, schema, reads_as=input_type_of(schema), is_required=is_required)


def _field(
    name: str, schema: Mapping[str, Any], *, reads_as: str | None, is_required: bool, placeholder: str = ""
) -> Field:
    options = _options(schema, reads_as)
    default = schema.get("default")
    return Field(
        name=name,
        label=_text(schema.get("title")) or name,
        control=_control(schema, reads_as, is_required=is_required, options=len(options)),
        is_required=is_required,
        value="" if default is None else _written(default, reads_as),
        help=_text(schema.get("description")),
        placeholder=placeholder,
        options=options,
        least=schema.get("minimum"),
        most=schema.get("maximum"),
        is_whole=schema.get("type") == "integer",
    )


def _control(schema: Mapping[str, Any], reads_as: str | None, *, is_required: bool, options: int) -> Control:
    if options:
        return Control.BUTTONS if is_required and options <= _MOST_BUTTONS else Control.LIST
    match reads_as:
        case "number":
            return Control.NUMBER
        case "text":
            return Control.LINE if schema.get("maxLength", _LONG + 1) <= _LONG else Control.LINES
        case "json":
            return Control.JSON
        case _:
            return Control.LINES


def _options(schema: Mapping[str, Any], reads_as: str | None) -> Sequence[tuple[str, str]]:
    values = schema.get("enum")
    if values is not None:
        return [(_written(value, reads_as), text_of(value)) for value in values if value is not None]
    return _YES_NO if reads_as == "boolean" else ()


def _written(value: JSONValue, reads_as: str | None) -> str:
    """*value* as a field holds it that is read as *reads_as*."""
    return value if isinstance(value, str) and reads_as == "text" else json.dumps(value, ensure_ascii=False)


def _unless_null(schema: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """*schema*, or its alternative to null."""
    alternatives = [each for each in (schema or {}).get("anyOf", ()) if isinstance(each, dict)]
    return next((each for each in alternatives if each.get("type") != "null"), schema or {})


def _owner(sentence: str, fields: Sequence[Field]) -> Field | None:
    """The field that a sentence of `handlers.answers` is about: it begins with the field's name."""
    if [field.name for field in fields] == [ANSWER_FIELD]:
        return fields[0]
    named = [field for field in fields if sentence.startswith(tuple(f"{field.name}{mark}" for mark in " .["))]
    return max(named, key=lambda field: len(field.name), default=None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
