"""A service as the source of a module: what `build` makes, to be kept, read and refined."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any, Final

from handlers.integrations.auth import Auth
from handlers.integrations.openapi.bases import Part
from handlers.integrations.openapi.building import TOLD_AT, bases_of, marks_of
from handlers.integrations.openapi.names import snake
from handlers.integrations.openapi.service import Described, Kind, Parameter, Service
from handlers.integrations.paging import Paging
from handlers.integrations.parameters import Sent, Unsent

_IMPORTS: Final = (
    "from typing import Annotated, Any, Literal",
    "",
    "from pydantic import AliasChoices, Field",
    "",
    "from handlers.integrations import (",
    "    FORM, Basic, Bearer, CursorPaging, Header, LinkPaging, Listing, Mapped, OffsetPaging, PagePaging, Parameters,",
    "    Provider, Query, Sent, Several,",
    ")",
    "from handlers.integrations.files import FilePath",
    "from handlers.integrations.openapi import FileBody, Part, PartsBody, ToFile, WholeBody",
    "from handlers.integrations.parameters import Listed, Place, Unsent",
    "from handlers.values import Text",
)


def write(service: Service, *, source: str = "an OpenAPI document") -> str:
    """The source of a module with the provider. Nothing of the document is in it but as text in quotes."""
    lines = [
        _text(f"{service.title}, as {source} describes it. Refine it as you like."),
        "# ruff: noqa",
        *_IMPORTS,
        "",
        f"{_variable(service)} = Provider(",
        *(f"    {line}," for line in _provider(service)),
        ")",
    ]
    for operation in service.operations:
        lines += ["", "", *_operation(operation, _variable(service))]
    return "\n".join(lines) + "\n"


def _variable(service: Service) -> str:
    return f"{snake(service.name)}_provider"


def _provider(service: Service) -> Iterator[str]:
    yield _text(service.name)
    yield f"title={_text(service.title)}"
    yield f"base_url={_text(service.base_url)}"
    yield f"auth={_made(service.auth)}"
    if service.is_form:
        yield "encoding=FORM"
    if service.idempotency_header is not None:
        yield f"idempotency_header={_text(service.idempotency_header)}"
    yield f"told_at=({', '.join(map(_text, TOLD_AT))})"


def _operation(operation: Described, provider: str) -> Iterator[str]:
    told = [_text(operation.name), _text(f"{operation.method} {operation.path}")]
    if operation.title is not None:
        told.append(f"title={_text(operation.title)}")
    if operation.paging is not None:
        told.append(f"paging={_made(operation.paging)}")
    if operation.accepts is not None:
        told.append(f"accepts={_text(operation.accepts)}")
    if operation.answers_file:
        told.append("takes_bytes=True")
    yield f"@{provider}.operation({', '.join(told)})"
    yield f"class {operation.class_name}({', '.join(base.__name__ for base in bases_of(operation))}):"
    if operation.doc:
        yield f"    {_text(operation.doc)}"
    elif not operation.parameters:
        yield "    pass"
    for parameter in operation.parameters:
        yield f"    {_field(parameter, operation)}"


def _field(parameter: Parameter, operation: Described) -> str:
    kind = parameter.kind.value
    if parameter.kind is Kind.CHOICE:
        kind = f"Literal[{', '.join(map(_text, parameter.choices))}]"
    written = kind if parameter.is_required else f"{kind} | None"
    if marks := marks_of(parameter, operation):
        written = f"Annotated[{', '.join([written, *map(_mark, marks)])}]"
    options = [] if parameter.is_required else ["None"]
    if parameter.also:
        options.append(f"validation_alias=AliasChoices({', '.join(map(_text, parameter.also))})")
    if parameter.description:
        options.append(f"description={_text(parameter.description)}")
    if options in ([], ["None"]):
        return f"{parameter.name}: {written}{' = None' if options else ''}"
    return f"{parameter.name}: {written} = Field({', '.join(options)})"


def _mark(mark: Sent | Part) -> str:
    if mark == Unsent:
        return "Unsent"
    if isinstance(mark, Part):
        return _made(mark)
    told = [] if mark.place is None else [f"place=Place.{mark.place.name}"]
    if mark.name is not None:
        told.append(f"name={_text(mark.name)}")
    return f"Sent({', '.join(told)})"


def _made(value: Auth | Paging | Part) -> str:
    """What makes an equal *value*: its class, and the fields that are not as usual."""
    told = [f"{each.name}={_plain(getattr(value, each.name))}" for each in _own_fields(value)]
    return f"{type(value).__name__}({', '.join(told)})"


def _own_fields(value: Any) -> Iterable[Any]:
    return (each for each in fields(value) if each.repr and getattr(value, each.name) not in (each.default, {}))


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        return f"({''.join(f'{_plain(each)}, ' for each in value)})"
    return repr(value)


def _text(text: str) -> str:
    """A literal of *text*: what JSON escapes, Python reads alike."""
    return json.dumps(text)
