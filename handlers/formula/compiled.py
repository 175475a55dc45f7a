"""JSONata expressions, compiled once and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import re2
from jsonata.jexception import JException
from jsonata.jsonata import Jsonata

from handlers.errors import ConfigError
from handlers.formula.bounds import weighed
from handlers.formula.patterns import compile_pattern

MAX_EXPRESSION_LENGTH = 10_000  # characters
# How jsonata finds the functions that it calls around every step; an expression that could set them would be unbounded.
RESERVED = "__evaluate"


def find_fault(expression: str) -> str | None:
    """Why *expression* does not compile, in a sentence; None when it does."""
    try:
        compiled.by_expression(expression)
    except ConfigError as error:
        return str(error)
    return None


def told(error: JException) -> str:
    """Its message with the place; jsonata's own texts name the code where they have no sentence."""
    place = f" (at character {error.location})" if error.location and error.location > 0 else ""
    return f"{error}{place}"


class Bounded(Jsonata):  # type: ignore[misc]  # jsonata is not typed
    """JSONata whose operators weigh what they are about to walk."""

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        return str(super().evaluate_string_concat(weighed(lhs), weighed(rhs)))

    def evaluate_equality_expression(self, lhs: Any, rhs: Any, op: str | None) -> Any:
        return super().evaluate_equality_expression(weighed(lhs), weighed(rhs), op)

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> Any:
        return super().evaluate_includes_expression(weighed(lhs), weighed(rhs))

    def evaluate_descendants(self, expr: Any, input: Any) -> Any:  # noqa: A002 -- jsonata's name
        return super().evaluate_descendants(expr, weighed(input))


class Compiled(threading.local):
    """Expressions compiled once per thread: jsonata keeps the scope of a running evaluation on the compiled object."""

    def __init__(self) -> None:
        self.by_expression: Callable[[str], Bounded] = lru_cache(maxsize=128)(_compile)


def _compile(expression: str) -> Bounded:
    if len(expression) > MAX_EXPRESSION_LENGTH:
        raise ConfigError(f"The expression has more than {MAX_EXPRESSION_LENGTH} characters.")
    if RESERVED in expression:
        raise ConfigError(f"{RESERVED} is a reserved name.")
    try:
        made = Bounded(expression, compile_pattern)
    except JException as error:
        hint = "; => is JavaScript, a function is function($item) { $item * 2 } here" if "=>" in expression else ""
        raise ConfigError(f"JSONata: {told(error)}{hint}") from error
    except re2.error as error:
        raise ConfigError(f"JSONata: the regular expression is not one of RE2: {_message_of(error)}") from error
    except Exception as error:
        # What the parser does with text that ends too early: IndexError, AttributeError, RecursionError.
        raise ConfigError("JSONata: the expression is not complete.") from error
    made.set_output_convert_nulls(False)  # it would walk the result before anybody has weighed it
    return made


def _message_of(error: re2.error) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


compiled = Compiled()
