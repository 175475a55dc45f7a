"""The parameters of one operation, those of its body among them, as fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic.alias_generators import to_camel

from handlers.integrations.openapi.document import Document, Node
from handlers.integrations.openapi.names import distinct, snake
from handlers.integrations.openapi.service import Kind, Parameter, Where

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
# Those are not parameters, whatever a document says. Source: OpenAPI 3.1, 4.8.12.
_NO_PARAMETERS: Final = frozenset({"accept", "content-type", "authorization"})
_KINDS: Final[Mapping[str | None, Kind]] = {
    "string": Kind.TEXT,
    "integer": Kind.WHOLE,
    "number": Kind.NUMBER,
    "boolean": Kind.TRUTH,
    "array": Kind.LIST,
    "object": Kind.OBJECT,
}
MAX_DESCRIPTION_LENGTH: Final = 500


class Unfit(Exception):
    """The operation cannot be carried over; the message says why."""


class Fields:
    def __init__(self, document: Document, *, bodiless: bool, left_out: list[str], subject: str) -> None:
        self._document, self._bodiless, self._left_out, self._subject = document, bodiless, left_out, subject
        self.found: list[Parameter] = []
        self.sends_file = False

    def add(self, drawn: Node) -> None:
        """A parameter of the path, the query or a header."""
        name, place = str(drawn.get("name") or ""), drawn.get("in")
        is_required = bool(drawn.get("required")) or place == "path"
        if not name or (place == "header" and name.lower() in _NO_PARAMETERS):
            return
        reason = self._unfit(drawn)
        if reason is not None and is_required:
            raise Unfit(f"its parameter {name} {reason}.")
        if reason is not None:
            self._left_out.append(f"{self._subject}: {name} is left out, as it {reason}.")
            return
        # Source: OpenAPI 3.1, 4.8.12.2: a list is one text, except in a query that does not say so.
        is_joined = place != "query" or drawn.get("explode") is False
        schema = drawn.get("schema")
        self._append(name, Where(place), schema, is_joined=is_joined, is_required=is_required, told=drawn)

    def add_body(self, drawn: Any, *, is_form: bool) -> None:
        """The body: its properties, or one field for all of it."""
        body = self._document.resolved(drawn)
        content = self._document.at(body, "content")
        if not content:
            return
        if self._bodiless:
            raise Unfit("it has a body, which GET and DELETE are not sent with.")
        wanted = FORM if is_form else "json"
        kind = next((str(kind) for kind in content if wanted in str(kind)), None)
        if kind is None and MULTIPART in content:
            self._add_parts(self._document.at(content, MULTIPART, "schema"), is_required=bool(body.get("required")))
            return
        if kind is None and FORM in content:
            raise Unfit("its body is a form, where the other operations send JSON.")
        if kind is None:
            self.sends_file = True
            return
        schema = self._document.at(content, kind, "schema")
        properties = self._document.properties(schema)
        is_required = bool(body.get("required"))
        if self._document.type_of(schema) != "object" or not properties:
            if is_form:
                raise Unfit("its form has no fields that could be told.")
            told = self._told(body, schema, "The body, as the service's documentation has it.")
            found, _ = self._kind(schema)
            whole = found if found in {Kind.LIST, Kind.OBJECT, Kind.TEXTS} else Kind.ANY
            self.found.append(
                Parameter(
                    name="body",
                    sent_as="body",
                    where=Where.WHOLE_BODY,
                    kind=Kind.LIST if whole is Kind.TEXTS else whole,
                    is_required=is_required,
                    description=told,
                )
            )
            return
        required = self._document.required(schema) if is_required else set()
        for name, each in properties.items():
            if not self._document.resolved(each).get("readOnly"):
                self._append(name, Where.BODY, each, is_required=name in required, told={})

    def _add_parts(self, schema: Node, *, is_required: bool) -> None:
        properties = self._document.properties(schema)
        if not properties:
            raise Unfit("its body has parts that could not be told.")
        required = self._document.required(schema) if is_required else set()
        for name, each in properties.items():
            where = Where.FILE_PART if self._is_file(each) else Where.PART
            self._append(name, where, each, is_required=name in required, told={})

    def _is_file(self, schema: Node) -> bool:
        """Source: OpenAPI 3.0, "Considerations for File Uploads"; 3.1, 4.8.14.4: there a file has a type of its own."""
        node = self._document.resolved(schema)
        if self._document.type_of(node) == "array":
            return self._is_file(self._document.resolved(node.get("items")))
        return node.get("format") == "binary" or "contentMediaType" in node

    def _append(
        self, sent_as: str, where: Where, schema: Any, *, is_joined: bool = False, is_required: bool, told: Node
    ) -> None:
        kind, choices = self._kind(schema)
        hint = ""
        if is_joined and kind in {Kind.LIST, Kind.TEXTS}:
            kind, hint = Kind.TEXT, "Several are parted by commas."
        if where is Where.FILE_PART:
            kind, choices = (Kind.LIST if kind in {Kind.LIST, Kind.TEXTS} else Kind.FILE), ()
            hint = "Paths of files." if kind is Kind.LIST else "Path of a file."
        taken = {each.name for each in self.found}
        name = distinct(snake(sent_as), taken, [f"{where.value}_{snake(sent_as).rstrip('_')}"])
        # Of two that the service calls alike, the first one is.
        own = [] if any(each.sent_as == sent_as for each in self.found) else [sent_as]
        also = tuple(dict.fromkeys([to_camel(name.rstrip("_")), *own]))
        self.found.append(
            Parameter(
                name=name,
                sent_as=sent_as,
                also=() if also == (to_camel(name),) else also,
                where=where,
                kind=kind,
                choices=choices,
                is_required=is_required,
                description=self._told(told, schema, hint),
            )
        )

    def _unfit(self, drawn: Node) -> str | None:
        if drawn.get("in") == "cookie":
            return "is a cookie"
        if drawn.get("in") not in ("path", "query", "header"):
            return "is in no place that is known"
        if "schema" not in drawn and "content" in drawn:
            return "is of a media type of its own"
        if self._document.type_of(drawn.get("schema")) == "object":
            return "is an object, of which the address has no place"
        return None

    def _kind(self, schema: Any) -> tuple[Kind, tuple[str, ...]]:
        told = self._document.type_of(schema)
        if told in {None, "string"} and (choices := self._document.choices(schema)):
            return Kind.CHOICE, choices
        if told == "array" and self._document.type_of(self._document.resolved(schema).get("items")) == "string":
            return Kind.TEXTS, ()
        return _KINDS.get(told, Kind.ANY), ()

    def _told(self, drawn: Node, schema: Any, hint: str) -> str:
        node = self._document.resolved(schema)
        said = " ".join(str(drawn.get("description") or node.get("description") or node.get("title") or "").split())
        usual = node.get("default")
        default = f"If it is not said: {usual}." if isinstance(usual, str | int | float) and usual != "" else ""
        if said and said[-1] not in ".!?:":
            said += "."
        return " ".join(part for part in (said[:MAX_DESCRIPTION_LENGTH], hint, default) if part)
