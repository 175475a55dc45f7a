"""A service as a provider that can be used at once."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, Field, create_model

from handlers.integrations.files import FilePath
from handlers.integrations.openapi.bases import FileBody, Part, PartsBody, ToFile, WholeBody
from handlers.integrations.openapi.service import Described, Kind, Parameter, Service, Where
from handlers.integrations.operation import FORM, JSON
from handlers.integrations.parameters import Listed, Listing, Mapped, Parameters, Place, Sent, Several, Unsent
from handlers.integrations.provider import Provider
from handlers.values import Text

# Where services tell what went wrong.
TOLD_AT: Final = ("message", "error.message", "error_description", "detail", "title", "error")
_TYPES: Final[dict[Kind, Any]] = {
    Kind.TEXT: Text,
    Kind.WHOLE: int,
    Kind.NUMBER: float,
    Kind.TRUTH: bool,
    Kind.TEXTS: Several,
    Kind.LIST: Listed,
    Kind.OBJECT: Mapped,
    Kind.CHOICE: Literal,  # of its choices
    Kind.FILE: FilePath,
    Kind.ANY: Any,
}
_PLACES: Final[dict[Where, Place | None]] = {
    Where.PATH: None,  # by its name, which stands there
    Where.QUERY: Place.QUERY,
    Where.HEADER: Place.HEADER,
    Where.BODY: Place.BODY,
    Where.WHOLE_BODY: Place.NOWHERE,
    Where.PART: Place.NOWHERE,
    Where.FILE_PART: Place.NOWHERE,
}


def build(service: Service) -> Provider:
    provider = Provider(
        service.name,
        title=service.title,
        base_url=service.base_url,
        auth=service.auth,
        encoding=FORM if service.is_form else JSON,
        idempotency_header=service.idempotency_header,
        told_at=TOLD_AT,
    )
    for operation in service.operations:
        route = f"{operation.method} {operation.path}"
        register = provider.operation(
            operation.name,
            route,
            title=operation.title,
            paging=operation.paging,
            accepts=operation.accepts,
            takes_bytes=operation.answers_file,
        )
        register(_parameters(operation))
    return provider


def bases_of(operation: Described) -> tuple[type[Parameters], ...]:
    bases: list[type[Parameters]] = []
    if operation.has(Where.WHOLE_BODY):
        bases.append(WholeBody)
    if operation.has(Where.PART, Where.FILE_PART):
        bases.append(PartsBody)
    if operation.sends_file:
        bases.append(FileBody)
    if operation.answers_file:
        bases.append(ToFile)
    if operation.paging is not None:
        bases.append(Listing)
    return tuple(bases) or (Parameters,)


def _parameters(operation: Described) -> type[Parameters]:
    made: dict[str, Any] = {each.name: _field(each, operation) for each in operation.parameters}
    return create_model(operation.class_name, __base__=bases_of(operation), __doc__=operation.doc or None, **made)


def _field(parameter: Parameter, operation: Described) -> tuple[Any, Any]:
    kind = Literal[parameter.choices] if parameter.kind is Kind.CHOICE else _TYPES[parameter.kind]
    written = kind if parameter.is_required else kind | None
    options: dict[str, Any] = {} if parameter.is_required else {"default": None}
    if parameter.also:
        options["validation_alias"] = AliasChoices(*parameter.also)
    if parameter.description:
        options["description"] = parameter.description
    for mark in marks_of(parameter, operation):
        written = Annotated[written, mark]
    return written, Field(**options)


def marks_of(parameter: Parameter, operation: Described) -> tuple[Sent | Part, ...]:
    """How the parameter is marked; not at all where its place and its name follow from the operation and the field."""
    match parameter.where:
        case Where.WHOLE_BODY:
            return (Unsent,)
        case Where.PART | Where.FILE_PART:
            return Unsent, Part(name=parameter.sent_as, is_file=parameter.where is Where.FILE_PART)
        case Where.PATH:
            return ()
    usual = Where.QUERY if operation.method in {"GET", "DELETE"} else Where.BODY
    place = None if parameter.where is usual else _PLACES[parameter.where]
    name = None if parameter.sent_as == parameter.name else parameter.sent_as
    return () if place is None and name is None else (Sent(place=place, name=name),)
