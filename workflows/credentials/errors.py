"""Why a credential cannot be stored as asked. Why it cannot be lent, its node is told (`handlers.errors`).

CredentialRefused
├── CredentialNameTaken     the workspace has a credential of this name
├── UnknownKind
└── BadValues               they do not fit the kind: every field that is wrong, at once
ConnectingRefused
├── NotConnectable          its owner cannot be asked: it is of another kind, or lacks where
└── BadConsent              what came back from a provider is not what was asked for
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class CredentialRefused(Exception):
    """The credential cannot be stored like this."""

    def __init__(self, wrong: Sequence[tuple[str, str]]) -> None:
        self.wrong = tuple(wrong)  # field and sentence
        super().__init__("; ".join(f"{field}: {message}" for field, message in wrong))


class CredentialNameTaken(CredentialRefused):
    """The workspace has a credential of this name."""

    def __init__(self, name: str) -> None:
        sentence = f"The workspace has a credential {name!r} already; change that one, or choose another name."
        super().__init__([("name", sentence)])


class UnknownKind(CredentialRefused):
    """There is no such kind of credential."""

    def __init__(self, kind: str, kinds: Iterable[str]) -> None:
        super().__init__([("kind", f"There is no kind {kind!r}; there are: {', '.join(kinds)}.")])


class BadValues(CredentialRefused):
    """The values do not fit the kind."""


class ConnectingRefused(Exception):
    """The credential cannot be connected."""


class NotConnectable(ConnectingRefused):
    """Nobody can be asked to let this credential in."""


class BadConsent(ConnectingRefused):
    """This was not asked for, or too long ago, or by somebody else, or it has been used; begin anew."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)
