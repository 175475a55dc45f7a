"""Where a configuration refers to something: each reference and expression in it, parsed, with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from handlers import JSONObject, JSONValue
from handlers.base import FieldKind
from workflows.core.errors import ExpressionSyntax
from workflows.core.expressions import Expression, parse
from workflows.core.templates import is_condition, is_expression, written_references


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One `{{…}}`, or a field that is one expression."""

    field: str  # place in the configuration: `headers.0.value`
    text: str  # without braces
    kind: FieldKind  # TEMPLATE for `{{…}}`, else that of the field
    parsed: Expression | ExpressionSyntax  # what it says, or why it cannot be read


def find_mentions(config: JSONObject, kinds: Mapping[str, FieldKind]) -> Iterator[Mention]:
    """The mentions in *config*, whose fields are read as *kinds* says."""
    for key, value in config.items():
        kind = kinds.get(key, FieldKind.TEMPLATE)
        match kind:
            case FieldKind.RAW:
                pass
            case FieldKind.CONDITION | FieldKind.DEFERRED:
                if is_condition(value):
                    yield _mention(key, value, kind)
            case FieldKind.EXPRESSION if is_expression(value):
                yield _mention(key, value, kind)
            case FieldKind.TEMPLATE | FieldKind.EXPRESSION:
                yield from _in_value(key, value)


def _in_value(place: str, value: JSONValue) -> Iterator[Mention]:
    match value:
        case str():
            for written in written_references(value):
                yield _mention(place, written[1], FieldKind.TEMPLATE)
        case list():
            for index, item in enumerate(value):
                yield from _in_value(f"{place}.{index}", item)
        case dict():
            for key, item in value.items():
                yield from _in_value(f"{place}.{key}", item)


def _mention(field: str, text: str, kind: FieldKind) -> Mention:
    parsed: Expression | ExpressionSyntax
    try:
        parsed = parse(text)
    except ExpressionSyntax as error:
        parsed = error
    return Mention(field=field, text=text.strip(), kind=kind, parsed=parsed)
