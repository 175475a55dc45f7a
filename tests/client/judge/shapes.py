"""What the client was given, held against what it expects: its own types, and what a step says."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from flowmaestro import types


class Unexpected(Exception):
    """The client was given something else than it expects."""


def expect(what: str, seen: Any, wanted: Any) -> None:
    if seen != wanted:
        raise Unexpected(f"{what}: {seen!r} instead of {wanted!r}")


def check_execution(execution: Any) -> None:
    """The client says that an error is text. Ours has a code and a node beside it, and the client passes on all."""
    text = execution["error"] and execution["error"]["message"]
    check_type({**execution, "error": text}, types.Execution, "execution")


def check_type(value: Any, hint: Any, place: str) -> None:
    """*value* is what the client's own types say. Raises Unexpected."""
    if hint is Any:
        return
    if is_typeddict(hint):
        expect(f"{place} has no", sorted(hint.__required_keys__ - value.keys()), [])
        for name, inner in get_type_hints(hint).items():
            if name in value:
                check_type(value[name], inner, f"{place}.{name}")
    elif get_origin(hint) is dict:
        check_type(value, dict, place)
        for name, inner in value.items():
            check_type(inner, get_args(hint)[1], f"{place}.{name}")
    elif not fits(value, hint):
        raise Unexpected(f"{place}: {value!r} is no {hint}")


def fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) in {Union, UnionType}:
        return any(passes(value, choice) for choice in get_args(hint))
    return isinstance(value, int | float if hint is float else hint)


def passes(value: Any, hint: Any) -> bool:
    try:
        check_type(value, hint, "")
    except Unexpected:
        return False
    return True
