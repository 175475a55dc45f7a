"""Tree → value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, assert_never

from handlers import JSONValue
from handlers.values import is_truthy
from workflows.core.absent import Absent
from workflows.core.errors import EvaluationError
from workflows.core.expressions.functions import FUNCTIONS, METHODS, Function, number
from workflows.core.expressions.tree import (
    Call,
    Choice,
    Embedded,
    Expression,
    Key,
    Literal,
    Logic,
    Node,
    Operation,
    Reference,
    Signed,
    Steps,
)
from workflows.core.expressions.values import MAX_TEXT, Budget, equal, order, same, text_of, tidy, walk

# What a reference yields, given its parts: the name, then the steps from it.
Lookup: TypeAlias = Callable[[Sequence[str | int]], "JSONValue | Absent"]

_SHOWN: Final = 120  # characters of an expression in an error


def evaluate(expression: Expression, lookup: Lookup, *, condition: bool = False) -> JSONValue:
    """The value of *expression* where *lookup* says what its references are; what is absent is null.

    With *condition*, `||` goes by truth; otherwise it takes the first operand that is not null, so that 0, "" and false
    count as values. Raises EvaluationError, and whatever *lookup* raises. Takes bounded time and memory: a language
    without loops does each step once, and what a step may look at or make is limited.
    """
    try:
        return _Evaluation(lookup).value(expression.tree, by_truth=condition)
    except EvaluationError as error:
        shown = expression.text if len(expression.text) <= _SHOWN else f"{expression.text[:_SHOWN]}…"
        raise EvaluationError(f"{shown.strip()}: {error}", code=error.code) from None


class _Evaluation:
    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._budget = Budget()

    def value(self, node: Node, *, by_truth: bool) -> JSONValue:  # noqa: C901 -- one case per kind of node
        match node:
            case Reference():
                return _present(self._lookup(node.parts))
            case Literal():
                return node.value
            case Operation():
                value = self.value(node.first, by_truth=by_truth)
                for sign, operand in node.rest:
                    value = self._apply(sign, value, self.value(operand, by_truth=by_truth))
                return value
            case Logic():
                return self._decide(node, by_truth=by_truth)
            case Signed():
                value = self.value(node.operand, by_truth=by_truth)
                for sign in reversed(node.signs):
                    value = not is_truthy(value) if sign == "!" else tidy(-number(value, "-"))
                return value
            case Steps():
                return self._step_through(node, by_truth=by_truth)
            case Call():
                values = [self.value(argument, by_truth=by_truth) for argument in node.arguments]
                return self._call(FUNCTIONS[node.function], values)
            case Choice():
                met = is_truthy(self.value(node.test, by_truth=by_truth))
                return self.value(node.yes if met else node.no, by_truth=by_truth)
            case Embedded():
                return self.value(node.operand, by_truth=False)
        assert_never(node)

    def _decide(self, node: Logic, *, by_truth: bool) -> JSONValue:
        value = self.value(node.first, by_truth=by_truth)
        for sign, operand in node.rest:
            if sign == "&&":
                goes_on = is_truthy(value)
            elif sign == "||" and by_truth:
                goes_on = not is_truthy(value)
            else:
                goes_on = value is None
            if goes_on:
                value = self.value(operand, by_truth=by_truth)
        return value

    def _step_through(self, node: Steps, *, by_truth: bool) -> JSONValue:
        value = self.value(node.base, by_truth=by_truth)
        for step in node.steps:
            if isinstance(step, Key):
                key = self.value(step.of, by_truth=by_truth)
                value = _present(walk(value, (_step(key),)))
            else:
                arguments = (self.value(argument, by_truth=by_truth) for argument in step.arguments)
                value = self._call(METHODS[step.name], [value, *arguments])
        return value

    def _call(self, function: Function, values: list[JSONValue]) -> JSONValue:
        for value in values:
            self._budget.read(value)
        return self._bounded(function.apply(values, self._budget))

    def _apply(self, sign: str, left: JSONValue, right: JSONValue) -> JSONValue:
        match sign:
            case "===":
                return same(left, right, self._budget)
            case "!==":
                return not same(left, right, self._budget)
            case "==":
                return equal(left, right, self._budget)
            case "!=":
                return not equal(left, right, self._budget)
            case "<" | "<=" | ">" | ">=":
                self._budget.read(left)
                self._budget.read(right)
                return _ordered(sign, order(left, right))
            case "+" if isinstance(left, str) or isinstance(right, str):
                return self._bounded(text_of(left) + text_of(right))
        return tidy(_calculate(sign, number(left, sign), number(right, sign)))

    def _bounded(self, value: JSONValue) -> JSONValue:
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise EvaluationError(f"the text would have {len(value)} characters; {MAX_TEXT} is the most")
        self._budget.make(value)
        return value


def _present(found: JSONValue | Absent) -> JSONValue:
    return None if isinstance(found, Absent) else found


def _step(key: JSONValue) -> str | int:
    if isinstance(key, int) and not isinstance(key, bool):
        return key
    if isinstance(key, list | dict):
        raise EvaluationError("what stands in [ ] must be a text or a number")
    return text_of(key)


def _ordered(sign: str, difference: int | None) -> bool:
    if difference is None:
        return False
    if difference == 0:
        return sign in ("<=", ">=")
    return (difference < 0) == (sign[0] == "<")


def _calculate(sign: str, left: float, right: float) -> float:
    """Whole numbers stay exact. Raises EvaluationError for what JavaScript calls NaN or Infinity."""
    try:
        match sign:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                whole = isinstance(left, int) and isinstance(right, int) and left % right == 0
                return left // right if whole else left / right
        # The remainder has the sign of the left side, unlike Python's.
        if isinstance(left, int) and isinstance(right, int):
            return abs(left) % abs(right) * (1 if left >= 0 else -1)
        return math.fmod(left, right)
    except ZeroDivisionError:
        raise EvaluationError("division by zero") from None
    except ValueError:  # fmod by zero
        raise EvaluationError("division by zero") from None
    except OverflowError:
        raise EvaluationError("the result is not a number, or too large for one") from None
