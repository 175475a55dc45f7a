"""Data in another shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from pydantic import AliasChoices, Field

from handlers.base import Effect, JSONValue, NodeConfig, NodeHandler, NodeInput, NodeOutput, Raw
from handlers.csv_tables import read_table
from handlers.errors import InputError
from handlers.formula import Formula, find_fault
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import read_container, read_json, text_of
from handlers.xml_values import read_xml

Operation: TypeAlias = Literal[
    "passthrough",
    "extract",
    "merge",
    "map",
    "filter",
    "sort",
    "reduce",
    "custom",
    "parseJSON",
    "parseXML",
    "parseCSV",
    "template",
]
NEEDS_FORMULA = frozenset({"map", "filter", "reduce", "custom"})
TAKES_FORMULA = NEEDS_FORMULA | {"sort"}
OPERATION_KEYS = ("operation", "transformType")
EXPRESSION_KEYS = ("expression", "code")
MAX_CSV_LENGTH = 2_000_000  # characters; a transform runs where others wait for it


class TransformConfig(NodeConfig):
    operation: Operation | None = Field(
        None,
        validation_alias=AliasChoices(*OPERATION_KEYS),
        description="custom when it is left out and there is an expression, passthrough when there is none.",
    )
    input_data: Any = Field(None, description="What to work on, usually a {{reference}}, which keeps its type.")
    expression: Raw = Field(
        "",
        validation_alias=AliasChoices(*EXPRESSION_KEYS),
        description="JSONata; for extract a path such as `order.items[0].sku`.",
    )
    sources: list[Any] = Field([], description="merge: more to lay together, after the input.")
    template: Any = Field(None, description="template: what to fill in.")
    delimiter: str | None = Field(
        None, min_length=1, max_length=1, description="parseCSV; unset: the likeliest of , ; tab and |."
    )
    has_header: bool = Field(
        True,
        validation_alias=AliasChoices("hasHeader", "hasHeaders"),
        description="parseCSV: the first row has the names of the columns.",
    )


@node_type("transform", category="logic", title="Transform", effect=Effect.PURE)
class Transform(NodeHandler[TransformConfig]):
    """Put data into another shape. The output is the result itself.

    - `passthrough`: the input as it is.
    - `extract`: what a path leads to in the input, or null.
    - `merge`: lists laid end to end, or objects into one, later keys winning. The input is a list of them, or one of
      them with the others in `sources`; null is left out.
    - `custom`: a JSONata expression over the input, which is `$` and `$data` in it.
    - `map`, `filter`, `sort`, `reduce`: over the items of a list. The JSONata expression sees one item at a time, as
      `$` and `$item`, with its `$index`: the new item; whether it stays; what to sort it by (numbers or text, null
      last; without an expression the item itself); and for `reduce` the new `$acc`, which begins as the first item.
    - `parseJSON`: the value that text holds; what is no text stays as it is.
    - `parseXML`: the same for XML. An element is its text, or an object of its attributes and children by name, with
      `_` for its text; children of one name are a list. Entities are refused (`invalid_xml`), and more than a million
      characters (`too_large`) or 150 levels (`too_complex`).
    - `parseCSV`: rows as objects by the names in the first, or as lists without `hasHeader`; all cells are text. For
      more than two million characters there is the node for files.
    - `template`: the `template` filled in; text that holds a JSON object or list is read.

    An expression has half a second; regular expressions are those of RE2; `$eval` is not there.
    """

    Config = TransformConfig

    def run(self, node: NodeInput[TransformConfig], lent: Lent) -> NodeOutput:
        del lent
        config = node.config
        operation = config.operation or ("custom" if config.expression else "passthrough")
        return NodeOutput(data=OPERATIONS[operation](config))

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        operation = _first(config, OPERATION_KEYS)
        expression = _first(config, EXPRESSION_KEYS) or ""
        if operation is None:
            operation = "custom" if expression else "passthrough"
        if not isinstance(operation, str) or not isinstance(expression, str):
            return []  # the field types tell
        if _is_legacy_reference(config.get("inputData")):
            return [("inputData", "A reference is written {{name.path}}; ${…} stays text.")]
        if operation == "merge":
            return _check_merge(config, expression)
        if operation in NEEDS_FORMULA | {"extract"} and not expression.strip():
            return [("expression", f"{operation} needs an expression.")]
        fault = find_fault(expression) if operation in TAKES_FORMULA and expression.strip() else None
        return [("expression", fault)] if fault else []


def _is_legacy_reference(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\s*\$\{.*\}\s*", value, re.DOTALL) is not None


def _check_merge(config: Mapping[str, Any], expression: str) -> list[tuple[str, str]]:
    if expression.strip():
        return [("expression", "merge takes no expression; put more {{references}} into `sources`.")]
    return [] if config.keys() & {"inputData", "sources"} else [("inputData", "There is nothing to merge.")]


def _first(config: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((config[key] for key in keys if key in config), None)


def _extract(config: TransformConfig) -> JSONValue:
    value: JSONValue = config.input_data
    for step in re.findall(r"[^.\[\]]+", config.expression):
        if isinstance(value, dict):
            value = value.get(step.strip("\"'"))
        elif isinstance(value, list) and re.fullmatch(r"[0-9]{1,9}", step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _merge(config: TransformConfig) -> JSONValue:
    first = config.input_data
    # A list with sources beside it is one of those to lay together; alone it holds them all.
    parts = [*first, *config.sources] if isinstance(first, list) and not config.sources else [first, *config.sources]
    parts = [part for part in parts if part is not None]
    if all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    if all(isinstance(part, dict) for part in parts):
        return {key: item for part in parts for key, item in part.items()}
    raise InputError(f"merge lays lists together, or objects; it was given {', '.join(map(_kind, parts[:5]))}.")


def _custom(config: TransformConfig) -> JSONValue:
    return Formula(config.expression)(config.input_data, data=config.input_data)


def _map(config: TransformConfig) -> JSONValue:
    formula = Formula(config.expression)
    return [formula(item, item=item, index=index) for index, item in enumerate(_items(config, "map"))]


def _filter(config: TransformConfig) -> JSONValue:
    formula = Formula(config.expression)
    items = enumerate(_items(config, "filter"))
    return [item for index, item in items if formula.is_true_of(item, item=item, index=index)]


def _sort(config: TransformConfig) -> JSONValue:
    items = _items(config, "sort")
    keys = items
    if config.expression.strip():
        formula = Formula(config.expression)
        keys = [formula(item, item=item, index=index) for index, item in enumerate(items)]
    known = [index for index, key in enumerate(keys) if key is not None]
    if not (all(_is_number(keys[index]) for index in known) or all(isinstance(keys[index], str) for index in known)):
        raise InputError("sort puts items in order by number or by text; these are of several kinds.")
    order = sorted(known, key=keys.__getitem__)
    return [items[index] for index in order] + [item for item, key in zip(items, keys, strict=True) if key is None]


def _reduce(config: TransformConfig) -> JSONValue:
    formula = Formula(config.expression)
    items = _items(config, "reduce")
    result = items[0] if items else None
    for index, item in enumerate(items[1:], start=1):
        result = formula(item, acc=result, item=item, index=index)
    return result


def _is_number(value: JSONValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _items(config: TransformConfig, operation: str) -> list[Any]:
    if isinstance(config.input_data, list):
        return config.input_data
    raise InputError(f"{operation} needs a list; the input is {_kind(config.input_data)}.")


def _parse_json(config: TransformConfig) -> JSONValue:
    text = config.input_data
    if not isinstance(text, str):
        return _passthrough(config)
    try:
        return read_json(text)
    except ValueError as error:
        raise InputError(f"Invalid JSON: {error}") from error


def _parse_xml(config: TransformConfig) -> JSONValue:
    return read_xml(config.input_data) if isinstance(config.input_data, str) else _passthrough(config)


def _parse_csv(config: TransformConfig) -> JSONValue:
    text = config.input_data
    if not isinstance(text, str):
        return _passthrough(config)
    if len(text) > MAX_CSV_LENGTH:
        raise InputError(
            f"parseCSV reads up to {MAX_CSV_LENGTH:,} characters; the input has {len(text):,}.", code="too_large"
        )
    table = read_table(text, what="The input", delimiter=config.delimiter, has_header=config.has_header)
    return table.rows


def _passthrough(config: TransformConfig) -> JSONValue:
    value: JSONValue = config.input_data
    return value


def _template(config: TransformConfig) -> JSONValue:
    value: JSONValue = config.template
    return read_container(value) if isinstance(value, str) else value


def _kind(value: JSONValue) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return f"{text_of(value)[:60]!r}" if isinstance(value, str) else text_of(value)


OPERATIONS: Mapping[str, Callable[[TransformConfig], JSONValue]] = {
    "passthrough": _passthrough,
    "extract": _extract,
    "merge": _merge,
    "map": _map,
    "filter": _filter,
    "sort": _sort,
    "reduce": _reduce,
    "custom": _custom,
    "parseJSON": _parse_json,
    "parseXML": _parse_xml,
    "parseCSV": _parse_csv,
    "template": _template,
}
