"""Answers to what a run waits for: whether one fits, what the fields of a form come to, when enough have voted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from jsonschema import ValidationError

from handlers.base import JSONObject, JSONValue
from handlers.schemas import TooIntricate, errors_of
from handlers.values import is_shallow, number_of, read_json, text_of

ANSWER_FIELD: Final = "answer"  # of a form that asks for the answer as a whole
MOST_LEVELS: Final = 200  # of nesting of JSON in a form, as in a request's body
_SHOWN: Final = 100  # characters of a value in a sentence
_YES: Final = frozenset({"true", "yes", "on", "1"})  # `on` is what a browser sends for a ticked box
_NO: Final = frozenset({"false", "no", "off", "0"})
_KINDS: Final[Mapping[str, str]] = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_INPUT_TYPES: Final[Mapping[str, str]] = {
    "string": "text",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "array": "json",
    "object": "json",
}
# By the keyword of the schema that a value does not satisfy; the keyword's own value goes where the braces are.
_SENTENCES: Final[Mapping[str | None, str]] = {
    "const": "must be {}",
    "pattern": "must match the pattern {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "multipleOf": "must be a multiple of {}",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "uniqueItems": "must not have one item twice",
    "minProperties": "must have at least {} fields",
    "maxProperties": "must have at most {} fields",
    "additionalProperties": "is not asked for",
    "not": "is what it must not be",
    "contains": "lacks an item that it must have",
    None: "has what is not asked for",  # the schema false
}


# ---- strictly, as JSON
def check_answer(schema: JSONObject | None, value: JSONValue) -> list[str]:
    """What of *value* does not fit *schema*, in sentences that name the field; none when it fits.

    Nothing is coerced: "1" is no number. A `format` is not asked. *schema* has no fault (`handlers.schemas`).
    """
    if schema is None:
        return []
    try:
        errors = errors_of(schema, value)
    except TooIntricate:
        return ["The answer is too large, or too deeply nested, to be checked."]
    return [*dict.fromkeys(f"{sentence}." for error in errors for sentence in _sentences(error))]


def _sentences(error: ValidationError) -> Iterator[str]:
    where, wanted = _place(error.absolute_path), error.validator_value
    match error.validator:
        case "type":
            yield f"{where} must be {_either(_KINDS[kind] for kind in _listed(wanted))}, not {_kind_of(error.instance)}"
        case "enum":
            yield f"{where} must be {_either(map(_shown, wanted))}"
        case "required":
            missing = [name for name in wanted if name not in error.instance]
            yield from (f"{_place([*error.absolute_path, name])} is missing" for name in missing)
        case "anyOf" | "oneOf":
            yield from _of_alternatives(error, where)
        case keyword if keyword in _SENTENCES:
            sentence = _SENTENCES[keyword]
            yield f"{where} {sentence.removesuffix('s') if wanted == 1 else sentence}".replace("{}", _shown(wanted))
        case _:
            yield f"{where} does not fit: {error.message[:_SHOWN]}"


def _of_alternatives(error: ValidationError, where: str) -> Iterator[str]:
    """Of what fits none of several schemas: what is wrong by the only one that is for its kind, if there is one."""
    told = [list(errors) for _, errors in groupby(error.context or (), key=lambda inner: inner.relative_schema_path[0])]
    kinds = [kind for errors in told if (kind := _kind_wanted(errors)) is not None]
    if not told:
        yield f"{where} fits more than one of the ways in which it may be written"
    elif len(kinds) == len(told):
        wanted = _either(_KINDS[kind] for each in kinds for kind in each)
        yield f"{where} must be {wanted}, not {_kind_of(error.instance)}"
    elif len(kinds) == len(told) - 1:
        near = next(errors for errors in told if _kind_wanted(errors) is None)
        yield from (sentence for inner in near for sentence in _sentences(inner))
    else:
        yield f"{where} fits none of the ways in which it may be written"


def _kind_wanted(errors: Iterable[ValidationError]) -> Sequence[str] | None:
    """The types that an alternative is for, when *errors* are that the value is of none of them."""
    return next((_listed(each.validator_value) for each in errors if _is_about_its_kind(each)), None)


def _is_about_its_kind(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path


def _listed(wanted: str | Sequence[str]) -> Sequence[str]:
    return [wanted] if isinstance(wanted, str) else wanted


def _place(path: Iterable[str | int]) -> str:
    """`items[0].price`"""
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return written.removeprefix(".") or "The answer"


def _either(names: Iterable[str]) -> str:
    *most, last = dict.fromkeys(names)
    return f"{', '.join(most)} or {last}" if most else last


def _kind_of(value: JSONValue) -> str:
    match value:
        case None:
            return _KINDS["null"]
        case bool():
            return _KINDS["boolean"]
        case int() | float():
            return _KINDS["number"]
        case str():
            return _KINDS["string"]
        case list():
            return _KINDS["array"]
        case dict():
            return _KINDS["object"]


def _shown(value: JSONValue) -> str:
    text = text_of(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


# ---- from a form, where everything is text
def from_form(schema: JSONObject | None, form: JSONObject, fields: Mapping[str, str]) -> JSONValue:
    """The answer that *fields* come to, for `check_answer`. Raises ValueError with a sentence for what reads as none.

    The field `answer` is the answer as a whole, of the kind that the form's `inputType` says, else the schema. Where
    there is none, the fields are those of the object that the schema describes; others, and empty ones, are left out.
    An empty answer is null where the form says `required: false`.
    """
    properties = object_schema(schema).get("properties", {})
    if ANSWER_FIELD in properties or ANSWER_FIELD not in fields:
        told = {name: kind for name, kind in properties.items() if fields.get(name, "").strip()}
        read = {name: _read(fields[name], input_type_of(kind), name) for name, kind in told.items()}
        answer: JSONValue = read or None
    else:
        text = fields[ANSWER_FIELD]
        kind = form.get("inputType") or input_type_of(schema)
        answer = _read(text, kind, "The answer") if text.strip() else None
    if answer is None and form.get("required") is not False:
        raise ValueError("An answer is needed.")
    return answer


def object_schema(schema: object) -> dict[str, Any]:
    """*schema*, or the first of its alternatives, that describes an object by its `properties`; {} when none does."""
    if not isinstance(schema, dict):
        return {}
    if schema.get("properties"):
        return schema
    return next(filter(None, map(object_schema, schema.get("anyOf", ()))), {})


def input_type_of(schema: object) -> str | None:
    """What to read a field as, by its *schema*; None: JSON where it reads as such, else text."""
    kinds = _listed(schema.get("type", ())) if isinstance(schema, dict) else ()
    return next((_INPUT_TYPES[kind] for kind in kinds if kind in _INPUT_TYPES), None)


def _read(written: str, input_type: JSONValue, where: str) -> JSONValue:
    text = written.replace("\r\n", "\n")  # a browser's way to send a line's end
    word = text.strip()
    match input_type:
        case "text":
            return text
        case "number":
            if (number := number_of(word)) is None:
                raise ValueError(f"{where} must be a number, not {_shown(word)!r}.")
            return number
        case "boolean":
            if word.lower() not in _YES | _NO:
                raise ValueError(f"{where} must be true or false, not {_shown(word)!r}.")
            return word.lower() in _YES
        case "json":
            try:
                return _read_json(word)
            except ValueError as error:
                raise ValueError(f"{where} must be JSON: {error}.") from error
    try:
        return _read_json(word)
    except ValueError:
        return text


def _read_json(text: str) -> JSONValue:
    value = read_json(text)
    if not is_shallow(value, most=MOST_LEVELS):
        raise ValueError(f"it is nested more than {MOST_LEVELS} levels deep")
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()  # not 1e999, nor half of a surrogate pair
    return value


# ---- by vote
def decided(needed: int, voters: int, votes: Sequence[bool]) -> bool | None:
    """What *voters* people have decided: yes once *needed* say so, no once they no longer can; None: not yet."""
    if sum(votes) >= needed:
        return True
    return False if sum(votes) + voters - len(votes) < needed else None
