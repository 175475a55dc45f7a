"""One question with two answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

from pydantic import AliasChoices, Field

from handlers.base import (
    Condition,
    Effect,
    JSONValue,
    NodeConfig,
    NodeData,
    NodeHandler,
    NodeInput,
    NodeOutput,
    SelectPort,
)
from handlers.errors import ConfigError
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import is_same, is_truthy, number_of, read_container, text_of

EXPRESSION_KEYS = ("expression", "condition")
Operator: TypeAlias = Literal[
    "==", "!=", ">", "<", ">=", "<=", "contains", "startsWith", "endsWith",
    "isEmpty", "isNotEmpty", "isNull", "isNotNull",
    "eq", "ne", "neq", "gt", "lt", "gte", "lte",
]  # fmt: skip


class ConditionalConfig(NodeConfig):
    condition_type: Literal["simple", "expression"] | None = Field(
        None, description="Which of the two forms is meant; told by the keys that are there when it is left out."
    )
    left_value: Any = None
    operator: Operator | None = None
    right_value: Any = None
    expression: Condition = Field(
        None,
        validation_alias=AliasChoices(*EXPRESSION_KEYS),
        description="An expression over references, such as `order.total > 100 && !customer.blocked`.",
    )


class ConditionalData(NodeData):
    condition_met: bool
    branch: Literal["true", "false"]
    left_value: Any = Field(None, description="Of a simple condition.")
    operator: str | None = Field(None, description="Of a simple condition.")
    right_value: Any = Field(None, description="Of a simple condition.")


@node_type("conditional", category="logic", title="Condition", effect=Effect.PURE, aliases=("condition", "if"))
class Conditional(NodeHandler[ConditionalConfig]):
    """Go one of two ways: by the handle `true` when the condition is met, by `false` when it is not.

    The condition is an `expression`, or `leftValue` `operator` `rightValue`. In the latter, text that reads as a
    number, true, false, null or JSON counts as that:

    - `==`, `!=`: a number equals its text (`"10"` and `10`), text ignores case, lists and objects are equal when their
      content is; null equals only null.
    - `>`, `<`, `>=`, `<=`: by number when both sides have one (true is 1; false, null and empty text are 0), else as
      text, ignoring case.
    - `contains`: part of a text, ignoring case, or an item of a list. `startsWith`, `endsWith`: of text, ignoring case.
    - `isEmpty`: null, empty text, list or object. `isNull`: null. `isNotEmpty`, `isNotNull`: the contrary.

    Output: `{"conditionMet": true, "branch": "true"}`, beside it `leftValue`, `operator` and `rightValue` as compared.
    """

    Config = ConditionalConfig
    Output = ConditionalData

    def run(self, node: NodeInput[ConditionalConfig], lent: Lent) -> NodeOutput:
        del lent
        config = node.config
        if _has_expression(config.condition_type, config.model_fields_set):
            return _decide(met=is_truthy(config.expression))
        if config.operator is None:
            raise ConfigError("A simple condition needs an operator.")
        left, right = _read(config.left_value), _read(config.right_value)
        met = OPERATORS[config.operator](left, right)
        return _decide(met=met, leftValue=left, operator=config.operator, rightValue=right)

    @classmethod
    def ports(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        del config
        return ("true", "false")

    @classmethod
    def port_for(cls, handle: str, config: Mapping[str, Any]) -> str | None:
        return super().port_for(handle.removeprefix("output-"), config)

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        given = {"expression"} if any(key in config for key in EXPRESSION_KEYS) else set()
        if _has_expression(config.get("conditionType"), given):
            written = next((config[key] for key in EXPRESSION_KEYS if key in config), None)
            return [("expression", "An expression is needed.")] if written in (None, "") else []
        wrong = [("leftValue", "A value to compare is needed.")] if "leftValue" not in config else []
        return [*wrong, ("operator", "An operator is needed.")] if config.get("operator") is None else wrong


def _has_expression(condition_type: object, given: set[str]) -> bool:
    return condition_type == "expression" or (condition_type != "simple" and "expression" in given)


def _decide(*, met: bool, **compared: JSONValue) -> NodeOutput:
    branch = "true" if met else "false"
    return NodeOutput(data={"conditionMet": met, "branch": branch, **compared}, signal=SelectPort(port=branch))


LITERALS: Mapping[str, JSONValue] = {"true": True, "false": False, "null": None, "undefined": None}


def _read(value: JSONValue) -> JSONValue:
    """What text stands for: a number, true, false, null, a list or an object; else the text as it is."""
    if not isinstance(value, str):
        return value
    number = number_of(value)
    if number is not None:
        return number
    return LITERALS[value] if value in LITERALS else read_container(value)


def _equal(left: JSONValue, right: JSONValue) -> bool:
    if left is None or right is None:
        return left is right
    if _is_number(left) or _is_number(right):
        return number_of(left) is not None and number_of(left) == number_of(right)
    if isinstance(left, str) or isinstance(right, str):
        return _folded(left) == _folded(right)
    return is_same(left, right)


def _order(left: JSONValue, right: JSONValue) -> int:
    """Below, at or above 0 as *left* comes before, with or after *right*."""
    numbers = _quantity(left), _quantity(right)
    if numbers[0] is not None and numbers[1] is not None:
        return (numbers[0] > numbers[1]) - (numbers[0] < numbers[1])
    texts = _folded(left), _folded(right)
    return (texts[0] > texts[1]) - (texts[0] < texts[1])


def _quantity(value: JSONValue) -> int | float | None:
    return 0 if value is None or value == "" else number_of(value)


def _contains(left: JSONValue, right: JSONValue) -> bool:
    if isinstance(left, list):
        return any(_equal(_read(item), right) for item in left)
    return isinstance(left, str) and _folded(right) in left.casefold()


def _is_number(value: JSONValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _folded(value: JSONValue) -> str:
    return text_of(value).casefold()


def _is_empty(value: JSONValue) -> bool:
    return value is None or value in ("", [], {})


COMPARISONS: Mapping[Operator, Callable[[JSONValue, JSONValue], bool]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    ">": lambda left, right: _order(left, right) > 0,
    "<": lambda left, right: _order(left, right) < 0,
    ">=": lambda left, right: _order(left, right) >= 0,
    "<=": lambda left, right: _order(left, right) <= 0,
    "contains": _contains,
    "startsWith": lambda left, right: _folded(left).startswith(_folded(right)),
    "endsWith": lambda left, right: _folded(left).endswith(_folded(right)),
    "isEmpty": lambda left, _: _is_empty(left),
    "isNotEmpty": lambda left, _: not _is_empty(left),
    "isNull": lambda left, _: left is None,
    "isNotNull": lambda left, _: left is not None,
}
WORDS: Mapping[Operator, Operator] = {
    "eq": "==", "ne": "!=", "neq": "!=", "gt": ">", "lt": "<", "gte": ">=", "lte": "<=",
}  # fmt: skip
OPERATORS = {**COMPARISONS, **{word: COMPARISONS[sign] for word, sign in WORDS.items()}}
