"""JSON Schemas that authors bring: which of them can be used, and what is wrong with a value, told in bounded time.

Draft 2020-12, whatever `$schema` says; a `format` is a remark. Who answers may be anybody with a link, and the schema
anybody's who draws workflows, so nothing is fetched, patterns are RE2's, and work is counted: a few lines of references
to references describe more of it than there is time.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from itertools import count, islice
from typing import Any, Final

import re2
from jsonschema import Draft202012Validator, SchemaError, ValidationError
from jsonschema.validators import create
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from handlers.base import JSONObject, JSONValue
from handlers.values import encodable, is_shallow

MAX_SCHEMA_LENGTH: Final = 32_768  # characters of JSON; a form of a hundred described fields has half of it
MAX_LEVELS: Final = 48  # of nesting; each takes eight frames of Python's thousand
MAX_PATTERN_LENGTH: Final = 1_000  # characters
# Of the schema on the value, looked up twice each; about a second. A list of ten thousand numbers takes 20,000.
MAX_STEPS: Final = 100_000
_MOST_ERRORS: Final = 20  # nobody mends more at a time
# They look at what other keywords have seen, by ways of the library's own that know no bounds.
_UNBOUNDED: Final = ("$dynamicRef", "unevaluatedItems", "unevaluatedProperties")

_steps: ContextVar[Iterator[int]] = ContextVar("steps")


class TooIntricate(Exception):
    """To check the value would take too long."""


def find_fault(schema: object) -> str | None:
    """Why *schema* cannot be used, in a sentence; None when it can."""
    if not isinstance(schema, dict):
        return "A JSON Schema is an object."
    if not is_shallow(schema, most=MAX_LEVELS):
        return f"A JSON Schema is nested at most {MAX_LEVELS} levels deep."
    try:
        text = json.dumps(schema, allow_nan=False)
    except (ValueError, TypeError):
        return "A JSON Schema is JSON itself."
    if len(text) > MAX_SCHEMA_LENGTH:
        return f"A JSON Schema has at most {MAX_SCHEMA_LENGTH:,} characters; this one has {len(text):,}."
    return _find_fault(text)


def find_pattern_fault(pattern: str) -> str | None:
    """Why *pattern* is no regular expression here, in a sentence; None when it is one."""
    if len(pattern) > MAX_PATTERN_LENGTH:
        return f"A pattern has at most {MAX_PATTERN_LENGTH:,} characters."
    try:
        _compiled(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        told = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        return f"The pattern {pattern!r} is not one of RE2, which has no lookaround and no backreferences: {told}."
    return None


def errors_of(schema: JSONObject, value: JSONValue) -> list[ValidationError]:
    """What of *value* does not fit *schema*, which has no fault: the first few. Raises TooIntricate."""
    token = _steps.set(count())
    try:
        validator = _Validator(_undated(schema), registry=Registry())
        return list(islice(validator.iter_errors(value), _MOST_ERRORS))
    except (RecursionError, OverflowError) as error:  # a schema of itself; an integer beyond all floats
        raise TooIntricate from error
    finally:
        _steps.reset(token)


def _undated(schema: JSONObject) -> JSONObject:
    """Without `$schema`, by which the library would take up a validator of its own."""
    return {key: value for key, value in schema.items() if key != "$schema"}


@lru_cache(maxsize=256)
def _find_fault(text: str) -> str | None:
    schema = _undated(json.loads(text))
    try:
        # Formats are not asked: one of them has Python compile the patterns, which are RE2's.
        Draft202012Validator.check_schema(schema, format_checker=None)
        return next(_faults(schema), None)
    except SchemaError as error:
        place = ".".join(map(str, error.absolute_path))
        return f"The JSON Schema is wrong{place and f' at {place}'}: {error.message[:200]}."
    except ValueError as error:
        return f"The JSON Schema has an `$id` that is no address: {error}."


def _faults(schema: JSONObject) -> Iterator[str]:
    places = list(_places(schema, Registry().resolver_with_root(DRAFT202012.create_resource(schema))))
    known = {id(part) for part, _ in places}
    for part, resolver in places:
        if "$schema" in part:
            yield "`$schema` stands at the top of a JSON Schema only."
        yield from (f"`{keyword}` is not understood here." for keyword in _UNBOUNDED if keyword in part)
        if "$ref" in part and not _leads_to(known, resolver, part["$ref"]):
            yield f"The JSON Schema refers to {part['$ref']!r}, which is no schema in it."
        patterns = [*part.get("patternProperties", ()), *([part["pattern"]] if "pattern" in part else [])]
        yield from filter(None, map(find_pattern_fault, patterns))


def _leads_to(known: Collection[int], resolver: Any, reference: str) -> bool:
    try:
        found = resolver.lookup(reference).contents
    except (Unresolvable, ValueError):  # ValueError: no address at all
        return False
    return isinstance(found, bool) or id(found) in known


def _places(part: Any, resolver: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """*part* and all schemas in it, each with what its references are relative to."""
    if not isinstance(part, dict):
        return  # true or false
    inner = resolver.in_subresource(DRAFT202012.create_resource(part))
    yield part, inner
    for each in DRAFT202012.subresources_of(part):
        yield from _places(each, inner)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # they are raised; RE2 would write them to standard error as well
    return re2.compile(encodable(pattern), options)


def _is_found(pattern: str, text: str) -> bool:
    return _compiled(pattern).search(encodable(text)) is not None


# ---- keywords, as the library has them but for their cost: (validator, keyword's value, instance, schema)
def _applicable(schema: JSONObject) -> Any:
    if next(_steps.get()) > MAX_STEPS:
        raise TooIntricate
    return schema.items()


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _is_found(pattern, instance):
        yield ValidationError(f"does not match {pattern}")


def _pattern_properties(validator: Any, patterns: JSONObject, instance: Any, _: Any) -> Iterator[ValidationError]:
    for pattern, schema in patterns.items() if isinstance(instance, dict) else ():
        for name in [name for name in instance if _is_found(pattern, name)]:
            yield from validator.descend(instance[name], schema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, others: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in instance:
        if name in named or any(_is_found(pattern, name) for pattern in patterns):
            continue
        if others is False:
            yield ValidationError("is not asked for", path=[name])
        else:
            yield from validator.descend(instance[name], others, path=name)


def _unique_items(_: Any, is_wanted: Any, instance: Any, __: Any) -> Iterator[ValidationError]:
    # The library compares each with each.
    if is_wanted and isinstance(instance, list) and len(set(map(_frozen, instance))) < len(instance):
        yield ValidationError("has one item twice")


def _frozen(value: JSONValue) -> Hashable:
    """The same for equal values only: 1 is 1.0, and not true."""
    match value:
        case bool():
            return "bool", value
        case list():
            return "list", *map(_frozen, value)
        case dict():
            return "dict", frozenset((name, _frozen(item)) for name, item in value.items())
    return value


_Validator: Final = create(
    meta_schema=Draft202012Validator.META_SCHEMA,
    validators={
        **Draft202012Validator.VALIDATORS,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    },
    type_checker=Draft202012Validator.TYPE_CHECKER,
    applicable_validators=_applicable,
)
