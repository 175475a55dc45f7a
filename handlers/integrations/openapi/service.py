"""What is carried over from a document: a service, its operations and their parameters. Values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from handlers.integrations.auth import Auth
from handlers.integrations.paging import Paging


class Kind(Enum):
    """What a parameter is, by the type it has in Python."""

    TEXT = "Text"
    WHOLE = "int"
    NUMBER = "float"
    TRUTH = "bool"
    TEXTS = "Several"
    LIST = "Listed"
    OBJECT = "Mapped"
    CHOICE = "Literal"
    FILE = "FilePath"
    ANY = "Any"


class Where(Enum):
    """Where in a request it goes."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    BODY = "body"
    WHOLE_BODY = "whole body"
    PART = "part"  # of a multipart body
    FILE_PART = "file part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    name: str  # of the field
    sent_as: str  # as the service calls it
    also: tuple[str, ...] = ()  # what it may be called, where that is not its field's usual spelling alone
    where: Where
    kind: Kind
    choices: tuple[str, ...] = ()  # of a CHOICE
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """An operation."""

    name: str
    method: str
    path: str  # with the names of fields in braces
    title: str | None
    doc: str
    parameters: tuple[Parameter, ...]
    paging: Paging | None = None
    accepts: str | None = None  # media type, where the answer is text
    sends_file: bool = False  # the body is the content of a file
    answers_file: bool = False

    @property
    def class_name(self) -> str:
        """It ends in a word that nothing has which a module of operations uses."""
        return f"{self.name[:1].upper()}{self.name[1:]}Operation"

    def has(self, *places: Where) -> bool:
        """Whether a parameter goes to one of these."""
        return any(parameter.where in places for parameter in self.parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    name: str
    title: str
    base_url: str
    auth: Auth
    is_form: bool  # bodies are forms, not JSON
    idempotency_header: str | None
    operations: tuple[Described, ...]
    left_out: tuple[str, ...]  # sentences
