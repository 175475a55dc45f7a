"""Why a variable cannot be stored as asked.

VariableRefused
├── NameTaken           the workspace has a variable of this name
├── BadSecret           a value that could not be hidden
└── WouldReveal         a secret was to become readable
"""

from __future__ import annotations


class VariableRefused(Exception):
    """The variable cannot be stored like this."""

    field = "value"


class NameTaken(VariableRefused):
    """The workspace has a variable of this name."""

    field = "name"

    def __init__(self, name: str) -> None:
        super().__init__(f"The workspace has a variable {name!r} already; change that one, or choose another name.")


class BadSecret(VariableRefused):
    """A secret of this value could not be hidden."""


class WouldReveal(VariableRefused):
    """A secret does not become plain as it is, since everybody could then read it: send a new value with it."""

    field = "secret"

    def __init__(self) -> None:
        super().__init__(self.__doc__)
