"""How a credential is sent along, by what the kinds of credentials call their fields."""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2

from handlers.errors import ConfigError
from handlers.ports import Credential, Lent

# In this order: what OAuth2 has renewed last, then what a person has pasted.
_TOKENS = ("access_token", "token", "api_key", "value")


class Auth(ABC):
    """A way of sending a credential. Raises ConfigError (`credential_unfit`) for one that has nothing to send."""

    @abstractmethod
    def apply(self, request: httpx2.Request, credential: Credential, lent: Lent) -> None:
        """Put the credential on *request*; what it is spelled as there is hidden by *lent*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer(Auth):
    """`Authorization: Bearer …`, or another word where the service wants one for some kinds of credentials."""

    words: Mapping[str, str] = field(default_factory=dict)  # kind of credential → the word; the rest is Bearer

    def apply(self, request: httpx2.Request, credential: Credential, lent: Lent) -> None:
        del lent
        token = _token(credential)
        request.headers["Authorization"] = f"{self.words.get(credential.kind, 'Bearer')} {token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header(Auth):
    """A header with the key alone."""

    name: str

    def apply(self, request: httpx2.Request, credential: Credential, lent: Lent) -> None:
        del lent
        request.headers[self.name] = _token(credential)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Auth):
    """A parameter of the URL."""

    name: str

    def apply(self, request: httpx2.Request, credential: Credential, lent: Lent) -> None:
        del lent
        request.url = request.url.copy_merge_params({self.name: _token(credential)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic(Auth):
    """`Authorization: Basic …` of a user and a password, or of a key in the place of the user."""

    def apply(self, request: httpx2.Request, credential: Credential, lent: Lent) -> None:
        user, password = credential.values.get("user"), credential.values.get("password", "")
        encoded = b64encode(f"{user or _token(credential)}:{password}".encode()).decode()
        lent.hide(encoded)
        request.headers["Authorization"] = f"Basic {encoded}"


def _token(credential: Credential) -> str:
    for name in _TOKENS:
        if token := credential.values.get(name, "").strip():
            return token
    raise ConfigError(
        f"The credential {credential.name!r} of kind {credential.kind} has no token or key in it that could be sent."
        f" Choose one of kind api_key, bearer or oauth2.",
        code="credential_unfit",
    )
