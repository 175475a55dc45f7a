"""What a kind of credential is: the fields its owner fills in, what of them is secret, how it is tried out.

A kind registers itself by its decorator, so that adding one is one file in `workflows.credentials.kinds`:

    @credential_kind("bearer", title="Bearer token")
    class Bearer(Kind):
        token: Secret = Field(description="…")
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from inspect import getdoc
from typing import Annotated, Any, ClassVar, Final, Protocol, TypeAlias, TypeVar

import httpx2
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from handlers import ConfigError, JSONObject
from handlers.ports import Credential, Interruptible
from workflows.core.masking import SHORTEST_SECRET, find_fault

LONGEST_VALUE: Final = 32_768  # characters; a chain of certificates with its key has some 10,000


class Borrower(Interruptible, Protocol):
    """Who is lent a credential: an attempt of a node (`handlers.ports.Lent`), or somebody who tries it out."""

    def hide(self, *secrets: str) -> None:
        """Replace these by `•••` in all that is told from now on."""


def _hidable(secret: str) -> str:
    if fault := find_fault(secret):
        raise ValueError(fault)
    return secret


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("It has a null character in it.")
    return text


def _web_address(url: str) -> str:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        raise ValueError("This is no URL.") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError("A URL begins with http:// or https:// and a host.")
    if parsed.userinfo:
        raise ValueError("A URL here holds no user and no password: everybody can read it.")
    return url


def _sendable(secret: str) -> str:
    if any(character < " " or character == "\x7f" for character in secret.strip()):
        raise ValueError("It has a line break or another control character in it, which no header may have.")
    return secret


Plain: TypeAlias = Annotated[str, Field(min_length=1, max_length=LONGEST_VALUE), AfterValidator(_storable)]
Secret: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=LONGEST_VALUE),
    AfterValidator(_storable),
    AfterValidator(_hidable),
    WithJsonSchema({"type": "string", "minLength": SHORTEST_SECRET, "format": "password", "writeOnly": True}),
]
HeaderSecret: TypeAlias = Annotated[Secret, AfterValidator(_sendable)]
Url: TypeAlias = Annotated[Plain, AfterValidator(_web_address), WithJsonSchema({"type": "string", "format": "uri"})]
# Source: RFC 9110, 5.6.2, token
HeaderName: TypeAlias = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", max_length=256)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65_535)]


class Kind(BaseModel):
    """Base of kinds; an instance is what is filled in of one credential. The docstring is shown to its owner."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: ClassVar[str]
    title: ClassVar[str]

    @classmethod
    @cache
    def secret_fields(cls) -> frozenset[str]:
        """The names of the fields whose values are given back by no door: those that their schema says so of."""
        properties = cls.model_json_schema()["properties"]
        return frozenset(
            name
            for name, schema in properties.items()
            if any(way.get("writeOnly") for way in (schema, *schema.get("anyOf", ())))
        )

    def filled(self) -> dict[str, Any]:
        """The fields that have a value, as JSON."""
        return self.model_dump(mode="json", exclude_none=True)

    def texts(self) -> dict[str, str]:
        """The fields that have a value, as a node reads them: true is `true`, 5432 is `5432`."""
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in self.filled().items()
        }

    def lendable(self) -> dict[str, str]:
        """The fields that nodes are given."""
        return self.texts()

    def borrowed(self, *, id: str = "", name: str = "") -> Credential:  # noqa: A002 -- as the field is called
        """As a node gets it."""
        return Credential(id=id, kind=self.kind, name=name, values=self.lendable())

    def secrets(self) -> set[str]:
        """All that nothing stored may show: the secret values, and the spellings in which they travel."""
        texts = self.texts()
        return {texts[name] for name in self.secret_fields() if name in texts} | set(self.spelled())

    def spelled(self) -> Iterable[str]:
        """What is made of the secret values on their way, such as the Base64 of a password."""
        return ()

    def try_out(self, borrower: Borrower) -> str:
        """What came of using it once, in a sentence. Raises HandlerError when it is of no use, NotTestable.

        An OAuth2 credential is renewed instead (`workflows.credentials.services`).
        """
        del borrower
        raise NotTestable(f"There is no way to try {self.title!r} out.")

    @classmethod
    def to_json(cls) -> JSONObject:
        """The entry that `/credentials/kinds` shows."""
        return {
            "kind": cls.kind,
            "title": cls.title,
            "description": getdoc(cls) or "",
            "schema": cls.model_json_schema(),
            "secret_fields": [*sorted(cls.secret_fields())],
        }


class NotTestable(ConfigError):
    """There is nothing to try the credential out on."""

    code = "not_testable"


KindT = TypeVar("KindT", bound=Kind)
_kinds: dict[str, type[Kind]] = {}


def credential_kind(name: str, *, title: str) -> Callable[[type[KindT]], type[KindT]]:
    """Class decorator that enters a kind into `kinds`."""

    def register(kind: type[KindT]) -> type[KindT]:
        kind.kind, kind.title = name, title
        _kinds[name] = kind
        return kind

    return register


@cache
def kinds() -> Mapping[str, type[Kind]]:
    """Every kind by its name."""
    import workflows.credentials.kinds as built_in  # noqa: PLC0415 -- the modules there import this one

    for module in pkgutil.iter_modules(built_in.__path__, f"{built_in.__name__}."):
        importlib.import_module(module.name)
    return dict(sorted(_kinds.items()))
