"""Names of a document as names of Python, of operations and of providers."""

from __future__ import annotations

import keyword
import re
from collections.abc import Container, Iterable
from typing import Final

from handlers.integrations.parameters import Listing

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# What a field may not be called: pydantic would take it for its own, or we would.
_TAKEN: Final = frozenset({*dir(Listing), "errand", "drawn", "answer", "body", "file", "save_as"})


def snake(name: str) -> str:
    """A field's name for *name*: `X-Request-ID` is x_request_id."""
    made = "_".join(word.lower() for word in _WORD.findall(name)) or "value"
    if made[0].isdigit():
        made = f"n{made}"
    is_taken = keyword.iskeyword(made) or made in _TAKEN or made.startswith("model_")
    return f"{made}_" if is_taken else made


def camel(name: str) -> str:
    """`list all-pets` is listAllPets."""
    words = _WORD.findall(name)
    made = "".join(word.capitalize() if word.islower() or number else word.lower() for number, word in enumerate(words))
    made = made[:1].lower() + made[1:]
    return f"do{made}" if not made or made[0].isdigit() or keyword.iskeyword(made) else made


def kebab(name: str) -> str:
    """`Acme Shop API` is acme-shop."""
    words = [word.lower() for word in _WORD.findall(name)]
    kept = [word for word in words if word not in {"api", "rest", "the", "openapi", "swagger"}]
    return "-".join(kept or words) or "service"


def distinct(name: str, taken: Container[str], otherwise: Iterable[str]) -> str:
    """*name*, or the first of *otherwise* that is not *taken*, or one with a number."""
    for each in (name, *otherwise):
        if each not in taken:
            return each
    number = 2
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"
