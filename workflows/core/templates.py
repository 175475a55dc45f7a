"""`{{ … }}` in JSON: compiled once, resolved at every run of the node that holds it.

One pass: what a reference yields is never looked at again, so a value that contains `{{…}}` stays text. A text that is
one reference and nothing else keeps the type of its value; inside other text values are written as text.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

from handlers import JSONObject, JSONValue
from handlers.base import FieldKind
from workflows.core.absent import UNKNOWN, Absent
from workflows.core.errors import EvaluationError
from workflows.core.expressions import Expression, Lookup, Reference, evaluate, parse, text_of

# A node's output may have 64 MB; no text that is made for a node has to be larger.
MAX_RENDERED: Final = 64 * 1024 * 1024  # characters, over all texts that one resolution makes

# A reference ends at the first }}, also inside quotes, as it does in the editor that people draw with.
_WRITTEN: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A template with its references replaced."""

    value: JSONValue
    unknown: tuple[str, ...]  # references whose first name nothing defines, each once


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedConfig:
    """A node's configuration with its references replaced: `config` is for the handler, `unknown` for its log."""

    config: JSONObject
    unknown: tuple[str, ...]


class Template(ABC):
    """A JSON value that is ready to be resolved."""

    __slots__ = ()

    references: tuple[Reference, ...]  # each once

    @abstractmethod
    def fill(self, work: _Pass) -> JSONValue:
        """The value, its own to whoever asked: no later resolution sees what is done to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledConfig:
    """A node's configuration, ready to be resolved."""

    fields: _Fields

    @property
    def references(self) -> tuple[Reference, ...]:
        """Each once."""
        return self.fields.references


def compile_value(value: JSONValue) -> Template:
    """*value* with its references parsed. Raises ExpressionSyntax at the first that does not parse."""
    match value:
        case str() if "{{" in value:
            return _compile_text(value)
        case list():
            items = _Items.of(value, [compile_value(item) for item in value])
            return items if items.references else _fixed(value)
        case dict():
            fields = _Fields.of(value, {key: compile_value(item) for key, item in value.items()})
            return fields if fields.references else _fixed(value)
    return _fixed(value)


def compile_config(config: JSONObject, kinds: Mapping[str, FieldKind]) -> CompiledConfig:
    """*config* compiled field by field, as *kinds* says (templates where it says nothing).

    Raises ExpressionSyntax; that of a definition which passed validation has none.
    """
    fields: dict[str, Template] = {}
    for key, value in config.items():
        match kinds.get(key, FieldKind.TEMPLATE):
            case FieldKind.TEMPLATE:
                fields[key] = compile_value(value)
            case FieldKind.CONDITION if is_condition(value):
                expression = parse(value)
                fields[key] = _Condition(expression=expression, references=expression.references)
            case FieldKind.EXPRESSION if is_expression(value):
                expression = parse(value)
                fields[key] = _Written(text=value, expression=expression, references=expression.references)
            case FieldKind.EXPRESSION:
                fields[key] = compile_value(value)
            case FieldKind.CONDITION | FieldKind.DEFERRED | FieldKind.RAW:
                fields[key] = _fixed(value)
    return CompiledConfig(fields=_Fields.of(config, fields))


def is_condition(value: JSONValue) -> TypeGuard[str]:
    """Whether *value*, of a condition's field, is an expression; blank text and other values are handed over as is."""
    return isinstance(value, str) and bool(value.strip())


def is_expression(value: JSONValue) -> TypeGuard[str]:
    """Whether *value*, of a field for an expression, is one; text that holds a `{{` is a template instead."""
    return is_condition(value) and "{{" not in value


def resolve(template: Template, lookup: Lookup) -> Resolved:
    """The value of *template* where *lookup* says what its references are.

    Raises EvaluationError for an expression that cannot be evaluated, and whatever *lookup* raises.
    """
    work = _Pass(lookup)
    value = template.fill(work)
    return Resolved(value=value, unknown=tuple(work.unknown))


def resolve_config(compiled: CompiledConfig, lookup: Lookup) -> ResolvedConfig:
    """The configuration as the handler's `Config` will check it. Raises as `resolve` does."""
    work = _Pass(lookup)
    config = compiled.fields.fill(work)
    return ResolvedConfig(config=config, unknown=tuple(work.unknown))


def written_references(text: str) -> list[re.Match[str]]:
    """Each `{{…}}` in *text*; group 1 is what stands between the braces. Braces that do not close are plain text."""
    return [*_WRITTEN.finditer(text)] if "{{" in text else []


class _Pass:
    """One resolution: where values come from, what was not known, how much text may still be made."""

    __slots__ = ("_lookup", "_room", "unknown")

    def __init__(self, lookup: Lookup) -> None:
        self.unknown: dict[str, None] = {}  # a set that keeps its order
        self._lookup = lookup
        self._room = MAX_RENDERED

    def look_up(self, parts: Sequence[str | int]) -> JSONValue | Absent:
        found = self._lookup(parts)
        if found is UNKNOWN:
            self.unknown[str(Reference(parts=tuple(parts)))] = None
        return found

    def count(self, text: str) -> str:
        self._room -= len(text)
        if self._room < 0:
            raise EvaluationError(f"the texts of this node would have more than {MAX_RENDERED} characters")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Constant(Template):
    value: JSONValue
    references: tuple[Reference, ...] = ()

    def fill(self, work: _Pass) -> JSONValue:
        del work
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fresh(Template):
    text: str  # JSON
    references: tuple[Reference, ...] = ()

    def fill(self, work: _Pass) -> JSONValue:
        del work
        value: JSONValue = json.loads(self.text)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written(Template):
    """One `{{…}}`, or an expression that is a field of its own."""

    text: str  # as written, braces included
    expression: Expression
    references: tuple[Reference, ...]

    def fill(self, work: _Pass) -> JSONValue:
        found = self.find(work)
        return None if isinstance(found, Absent) else found

    def find(self, work: _Pass) -> JSONValue | Absent:
        tree = self.expression.tree
        return work.look_up(tree.parts) if isinstance(tree, Reference) else evaluate(self.expression, work.look_up)

    def render(self, work: _Pass) -> str:
        found = self.find(work)
        if isinstance(found, Absent):
            return self.text if found is UNKNOWN else ""
        return text_of(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text(Template):
    pieces: tuple[str | _Written, ...]
    references: tuple[Reference, ...]

    def fill(self, work: _Pass) -> JSONValue:
        return "".join([work.count(piece if isinstance(piece, str) else piece.render(work)) for piece in self.pieces])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition(Template):
    expression: Expression
    references: tuple[Reference, ...]

    def fill(self, work: _Pass) -> JSONValue:
        return evaluate(self.expression, work.look_up, condition=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Items(Template):
    drawn: list[JSONValue]
    changing: tuple[tuple[int, Template], ...]
    references: tuple[Reference, ...]

    @staticmethod
    def of(drawn: list[JSONValue], items: Sequence[Template]) -> _Items:
        changing = tuple((index, item) for index, item in enumerate(items) if not isinstance(item, _Constant))
        return _Items(drawn=drawn, changing=changing, references=_merged(items))

    def fill(self, work: _Pass) -> JSONValue:
        filled = [*self.drawn]
        for index, item in self.changing:
            filled[index] = item.fill(work)
        return filled


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fields(Template):
    drawn: JSONObject
    changing: tuple[tuple[str, Template], ...]
    references: tuple[Reference, ...]

    @staticmethod
    def of(drawn: JSONObject, fields: Mapping[str, Template]) -> _Fields:
        changing = tuple((key, field) for key, field in fields.items() if not isinstance(field, _Constant))
        return _Fields(drawn=drawn, changing=changing, references=_merged(fields.values()))

    def fill(self, work: _Pass) -> JSONObject:
        filled = {**self.drawn}
        for key, field in self.changing:
            filled[key] = field.fill(work)
        return filled


def _fixed(value: JSONValue) -> Template:
    """*value*, which has no references. A list or an object is made anew each time: who is given it may change it."""
    return _Fresh(text=json.dumps(value)) if isinstance(value, list | dict) else _Constant(value=value)


def _compile_text(text: str) -> Template:
    pieces: list[str | _Written] = []
    end = 0
    for found in written_references(text):
        if found.start() > end:
            pieces.append(text[end : found.start()])
        expression = parse(found[1])
        pieces.append(_Written(text=found[0], expression=expression, references=expression.references))
        end = found.end()
    if end < len(text):
        pieces.append(text[end:])
    match pieces:
        case [_Written() as lone]:
            return lone
        case _ if end == 0:
            return _Constant(value=text)
    references = _merged(piece for piece in pieces if isinstance(piece, _Written))
    return _Text(pieces=tuple(pieces), references=references)


def _merged(templates: Iterable[Template]) -> tuple[Reference, ...]:
    return tuple(dict.fromkeys(reference for template in templates for reference in template.references))
