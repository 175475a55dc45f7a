"""A service: how its API is spoken to, and what it can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from handlers.base import JSONObject, JSONValue
from handlers.integrations.auth import Auth
from handlers.integrations.operation import JSON, Encoding, Operation
from handlers.integrations.paging import Paging
from handlers.integrations.parameters import Parameters
from handlers.integrations.refusals import Meaning

ParametersT = TypeVar("ParametersT", bound=type[Parameters])


def _as_it_is(name: str) -> str:
    return name


class DuplicateOperation(ValueError):
    """Two operations of one provider have the same name."""


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    name: str
    title: str = field(kw_only=True)
    base_url: str = field(kw_only=True)  # what stands before the paths of all operations; a credential may have its own
    auth: Auth = field(kw_only=True)
    aliases: tuple[str, ...] = field(default=(), kw_only=True)
    doc: str = field(default="", kw_only=True)  # what it is, and which credential it takes; Markdown
    headers: Mapping[str, str] = field(default_factory=dict, kw_only=True)  # of every request
    encoding: Encoding = field(default=JSON, kw_only=True)
    spelling: Callable[[str], str] = field(default=_as_it_is, kw_only=True)  # a parameter's name, as the API has it
    idempotency_header: str | None = field(default=None, kw_only=True)  # of requests that change something
    told_at: tuple[str, ...] = field(default=("message",), kw_only=True)  # where an error is told for people
    codes_at: tuple[str, ...] = field(default=(), kw_only=True)  # where it is told for programs
    meanings: Mapping[str, Meaning] = field(default_factory=dict, kw_only=True)  # by those codes, before the status
    is_refused: Callable[[JSONValue], bool] | None = field(default=None, kw_only=True)  # an answer of status 200
    rate_pause: float | None = field(default=None, kw_only=True)  # seconds, when it asks to slow down without saying
    at_once: int = field(default=10, kw_only=True)  # requests of one credential, over all workers
    per_minute: int | None = field(default=None, kw_only=True)  # likewise
    operations: dict[str, Operation] = field(default_factory=dict, kw_only=True)  # filled by the decorator

    def operation(
        self,
        name: str,
        route: str,
        *,
        aliases: Iterable[str] = (),
        title: str | None = None,
        picks: str = "",
        paging: Paging | None = None,
        takes_bytes: bool = False,
        accepts: str | None = None,
    ) -> Callable[[ParametersT], ParametersT]:
        """Class decorator that makes parameters an operation. *route* is a method and a path."""
        method, _, path = route.partition(" ")

        def register(parameters: ParametersT) -> ParametersT:
            made = Operation(
                provider=self,
                name=name,
                method=method,
                path=path,
                parameters=parameters,
                title=title or _sentence(name),
                aliases=tuple(aliases),
                picks=picks,
                paging=paging,
                takes_bytes=takes_bytes,
                accepts=accepts,
            )
            taken = {folded(each) for other in self.operations.values() for each in (other.name, *other.aliases)}
            if clash := taken & {folded(each) for each in (name, *made.aliases)}:
                raise DuplicateOperation(f"{self.name} has two operations {sorted(clash)}")
            self.operations[name] = made
            return parameters

        return register

    def find(self, name: str) -> Operation | None:
        """The operation of that name or alias, however its words are joined."""
        wanted = folded(name)
        for operation in self.operations.values():
            if wanted in {folded(each) for each in (operation.name, *operation.aliases)}:
                return operation
        return None

    def to_json(self) -> JSONObject:
        """The provider in the catalogue."""
        return {
            "provider": self.name,
            "aliases": list(self.aliases),
            "title": self.title,
            "description": self.doc.strip(),
            "base_url": self.base_url,
            "operations": [operation.to_json() for operation in self.operations.values()],
        }


def folded(name: str) -> str:
    """*name* without what people spell differently: `Google Sheets` is `google-sheets`."""
    return "".join(character for character in name.lower() if character.isalnum())


def _sentence(name: str) -> str:
    """`createIssue` → `Create issue`."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words[:1].upper() + words[1:]
