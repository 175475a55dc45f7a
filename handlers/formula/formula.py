"""One expression at work."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Any

from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.jsonata import Jsonata
from jsonata.utils import Utils

from handlers.base import JSONValue
from handlers.errors import InputError
from handlers.formula.bounds import Bounds, Fault, TooMuch, weighed
from handlers.formula.compiled import compiled, told
from handlers.formula.natives import NATIVES

MAX_SECONDS = 0.5
MAX_NESTING = 200  # of the result


class Formula:
    """A JSONata expression ready to run: `Formula("price * qty")({"price": 2, "qty": 3})` is 6.

    *seconds* is the time for all its evaluations together, counted from now. Raises ConfigError when the expression
    does not compile, and InputError when it cannot be evaluated.
    """

    def __init__(self, expression: str, *, seconds: float = MAX_SECONDS) -> None:
        self._compiled = compiled.by_expression(expression)
        self._deadline = monotonic() + seconds

    def __call__(self, context: JSONValue, **names: JSONValue) -> JSONValue:
        """Its value with *context* as `$` and *names* as variables; undefined is null."""
        try:
            return _plain(weighed(self._evaluate(context, names)), MAX_NESTING)
        except JException as error:
            raise InputError(f"JSONata: {told(error)}", code="expression_failed") from error
        except Fault as error:
            raise InputError(f"JSONata: {error}", code="expression_failed") from error
        except TooMuch as error:
            raise InputError(f"JSONata: {error}", code="expression_limit") from error

    def is_true_of(self, context: JSONValue, **names: JSONValue) -> bool:
        """Whether its value is true by JSONata's rule: not false, null, 0, nor an empty text, list or object."""
        return Functions.to_boolean(self(context, **names)) is True

    def _evaluate(self, context: JSONValue, names: Mapping[str, JSONValue]) -> Any:
        frame = Jsonata.Frame(None)
        bounds = Bounds(self._deadline)
        frame.set_evaluate_entry_callback(bounds.enter)
        frame.set_evaluate_exit_callback(bounds.leave)
        for name, function in NATIVES.items():
            frame.bind(name, function)
        try:
            for name, value in names.items():
                frame.bind(name, _from_json(value))
            return self._compiled.evaluate(_from_json(context), frame)
        except (JException, Fault, TooMuch):
            raise
        except RecursionError as error:
            raise TooMuch("the expression is nested too deeply") from error
        except Exception as error:
            # jsonata meets odd arguments with whatever Python raises: OverflowError for $power(10, 400).
            raise Fault(f"{type(error).__name__}: {error}") from error


def _from_json(value: JSONValue) -> Any:
    """A copy for jsonata, which takes Python's None for undefined and has its own null."""
    if value is None:
        return Utils.NULL_VALUE
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _from_json(item) for key, item in value.items()}
    return value


def _plain(value: Any, depth: int) -> JSONValue:
    if depth == 0:
        raise TooMuch(f"the result is nested more than {MAX_NESTING} deep")
    if value is None or value is Utils.NULL_VALUE:
        return None
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, depth - 1) for key, item in value.items()}
    raise Fault("the result holds a function, which is no JSON")
