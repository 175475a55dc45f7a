"""One thing a provider can do: its parameters spread over a request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from inspect import getdoc
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import httpx2

from handlers.base import JSONObject, JSONValue
from handlers.errors import InputError
from handlers.integrations.answers import pick
from handlers.integrations.paging import Paging
from handlers.integrations.parameters import Errand, Parameters, Place, Sent
from handlers.values import encodable, text_of

if TYPE_CHECKING:
    from handlers.integrations.provider import Provider

_IN_PATH: Final = re.compile(r"{(\w+)(\+?)}")  # {name}, or {name+} for one that may have slashes
_BODILESS: Final = frozenset({"GET", "DELETE", "HEAD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a body is written."""

    content_type: str
    encode: Callable[[JSONValue], bytes]


def _json(body: JSONValue) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _form(body: JSONValue) -> bytes:
    pairs = body.items() if isinstance(body, dict) else ()
    return str(httpx2.QueryParams([pair for name, value in pairs for pair in _flat(name, value)])).encode()


def _flat(name: str, value: JSONValue) -> Iterator[tuple[str, str]]:
    """Objects and lists by brackets, as Stripe, PHP and Rails read them: `items[0][price]`."""
    match value:
        case dict():
            for key, item in value.items():
                yield from _flat(f"{name}[{encodable(key)}]", item)
        case list():
            for index, item in enumerate(value):
                yield from _flat(f"{name}[{index}]", item)
        case None:
            yield name, ""
        case _:
            yield name, encodable(text_of(value))


JSON: Final = Encoding(content_type="application/json", encode=_json)
FORM: Final = Encoding(content_type="application/x-www-form-urlencoded", encode=_form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Parameters, by where they go."""

    path: str  # relative to the provider's base URL
    query: JSONObject
    headers: Mapping[str, str]
    body: JSONObject


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Operation:
    provider: Provider = field(repr=False)
    name: str
    method: str
    path: str  # relative to the provider's base URL, with parameters in braces
    parameters: type[Parameters]
    title: str
    aliases: tuple[str, ...] = ()
    picks: str = ""  # where in the answer stands what is handed on; "": all of it
    paging: Paging | None = None
    takes_bytes: bool = False  # the answer is a file, which `Parameters.make_result` is given as it is
    accepts: str | None = None  # media type to ask for, if not the provider's

    @property
    def doc(self) -> str:
        return getdoc(self.parameters) or ""

    @property
    def is_repeatable(self) -> bool:
        """Whether doing it twice is as good as once."""
        return self.method in {"GET", "HEAD", "PUT", "DELETE"}

    def to_json(self) -> JSONObject:
        """The operation in the catalogue."""
        return {
            "operation": self.name,
            "aliases": list(self.aliases),
            "title": self.title,
            "description": self.doc,
            "paged": self.paging is not None,
            "parameters_schema": self.parameters.model_json_schema(),
        }

    def pick(self, data: JSONValue) -> JSONValue:
        return pick(data, self.picks)

    def spread(self, given: Parameters) -> Spread:
        """*given*, by where each goes; what was not said is left out."""
        values = given.model_dump(mode="json", exclude_none=True)
        in_path = {name for name, _ in _IN_PATH.findall(self.path)}
        parts: dict[Place, JSONObject] = {place: {} for place in Place}
        for name, info in type(given).model_fields.items():
            if name in in_path or name not in values:
                continue
            sent = next((mark for mark in info.metadata if isinstance(mark, Sent)), Sent())
            usual = Place.QUERY if self.method in _BODILESS else Place.BODY
            parts[sent.place or usual][sent.name or self.provider.spelling(name)] = values[name]
        return Spread(
            path=_IN_PATH.sub(lambda found: _segment(found, values), self.path),
            query=given.make_query(parts[Place.QUERY]),
            headers={name: encodable(text_of(value)) for name, value in parts[Place.HEADER].items()},
            body=parts[Place.BODY],
        )

    def content(self, given: Parameters, body: JSONObject, errand: Errand) -> tuple[bytes, str] | None:
        """The bytes to send and their type; None when there are none."""
        if self.method in _BODILESS:
            return None
        own = given.make_content(errand)
        if own is not None:
            return own
        written = given.make_body(body, errand)
        if written == {}:
            return None
        return self.provider.encoding.encode(written), self.provider.encoding.content_type


def _segment(found: re.Match[str], values: Mapping[str, JSONValue]) -> str:
    name, may_have_slashes = found.groups()
    value = encodable(text_of(values.get(name)))
    if any(part in {"", ".", ".."} for part in (value.split("/") if may_have_slashes else [value])):
        raise InputError(f"{name}: {value[:50]!r} cannot stand in an address.")
    return quote(value, safe="/" if may_have_slashes else "")
