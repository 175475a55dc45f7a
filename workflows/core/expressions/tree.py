"""An expression, read.

Every chain is one node, so that the tree is as deep as the expression is nested and not as long as it is: neither the
parser nor the evaluator can run out of stack on a sum of a thousand terms.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from handlers.base import JSONScalar

_PLAIN_STEP: Final = re.compile(r"[\w$]+(?:-+[\w$]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    value: JSONScalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A name and the steps from it that are fixed: `order.items[0]['unit price']`."""

    parts: tuple[str | int, ...]  # the name first

    @property
    def root(self) -> str:
        return str(self.parts[0])

    def __str__(self) -> str:
        return self.root + "".join(_spell(step) for step in self.parts[1:])


def _spell(step: str | int) -> str:
    if isinstance(step, str) and _PLAIN_STEP.fullmatch(step):
        return f".{step}"
    return f"[{json.dumps(step, ensure_ascii=False)}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A step to be computed, `[…]`, or a fixed one behind such a step."""

    of: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    base: Node
    steps: tuple[Key | Method, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    signs: str  # of ! and -, as written; the last is applied first
    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Operators of one rank, from left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Logic:
    """Operators of one rank that may leave their right side alone: && or a mixture of || and ??."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """`{{…}}` inside a condition: what is in it is a value, as it would be anywhere else."""

    operand: Node


Node: TypeAlias = Literal | Reference | Steps | Call | Signed | Operation | Logic | Choice | Embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """What stands between `{{` and `}}`, or in a condition: as written, as a tree, and what it reads."""

    text: str
    tree: Node
    references: tuple[Reference, ...]  # each once
