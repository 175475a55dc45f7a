"""Scope paths: `loop1[3]/par2[0]` is branch 0 of par2 in iteration 3 of loop1; "" is the top level."""

from __future__ import annotations

from typing import Final

TOP: Final = ""


def inside(scope: str, container: str, index: int) -> str:
    """The scope of iteration or branch *index* of *container*, which is itself in *scope*."""
    return f"{scope}/{container}[{index}]" if scope else f"{container}[{index}]"


def around(scope: str) -> tuple[str, str, int]:
    """What *scope* is a part of: the scope around it, the container in that one, and its index. `inside`, turned round.

    Raises ValueError for the top level, which is part of nothing.
    """
    outer, _, last = scope.rpartition("/")
    container, bracket, index = last.removesuffix("]").rpartition("[")
    if not bracket:
        raise ValueError("nothing is around the top level")
    return outer, container, int(index)


def where(scope: str, container: str) -> tuple[str, int]:
    """The scope that *container* is in and the index *scope* lies under. Raises ValueError when it does not."""
    while True:
        scope, name, index = around(scope)
        if name == container:
            return scope, index


def container_of(scope: str) -> str:
    """The container whose body a scope is one run of; "" at the top level."""
    return scope.rpartition("/")[2].rpartition("[")[0] if scope else TOP


def outermost(scope: str, node_id: str) -> str:
    """The top-level node that a visit is of, or lies in."""
    return scope.partition("[")[0] if scope else node_id


def path(scope: str, node_id: str) -> str:
    """One node in one scope, as people name it."""
    return f"{scope}/{node_id}" if scope else node_id


def is_within(scope: str, outer: str) -> bool:
    """Whether *scope* is *outer* or lies in it."""
    return not outer or scope == outer or scope.startswith(f"{outer}/")
