"""From a document to a service: which operations can be carried over, and what of them cannot, in sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from handlers.integrations.auth import Auth, Basic, Bearer, Header, Query
from handlers.integrations.openapi import fields
from handlers.integrations.openapi.document import BadDocument, Document, Node, listed
from handlers.integrations.openapi.fields import Unfit
from handlers.integrations.openapi.lists import paging_of
from handlers.integrations.openapi.names import camel, distinct, kebab
from handlers.integrations.openapi.service import Described, Parameter, Service, Where
from handlers.integrations.provider import folded

METHODS: Final = ("get", "post", "put", "patch", "delete")
FORM: Final = "application/x-www-form-urlencoded"
_IN_PATH: Final = re.compile(r"{([^{}]+)}")
_VARIABLE: Final = re.compile(r"{([^{}]+)}")
_IDEMPOTENCY: Final = "idempotency-key"


def describe(
    root: Any,
    *,
    name: str | None = None,
    base_url: str | None = None,
    wanted: Callable[[str, tuple[str, ...]], bool] = lambda name, tags: True,  # noqa: ARG005 -- all of them
) -> Service:
    """The service that the document *root* describes, as `name` and at `base_url` if the document's are not to be.

    *wanted* says of an operation, by its name and tags, whether it is to be carried over. Raises BadDocument.
    """
    document = Document(root)
    title = str(document.at(document.root, "info").get("title") or "").strip() or "Service"
    left_out: list[str] = []
    drawn = list(_operations(document))
    is_form = _is_form(document, [operation for _, _, _, operation in drawn])
    made: list[Described] = []
    names: set[str] = set()
    for method, path, shared, operation in drawn:
        called = _called(operation, method, path, names)
        tags = tuple(str(tag) for tag in listed(operation.get("tags")))
        if not wanted(called, tags):
            continue
        try:
            drawn_as = _Drawn(name=called, method=method, path=path, shared=shared, operation=operation)
            described = _described(document, drawn_as, left_out, is_form=is_form)
        except Unfit as reason:
            left_out.append(f"{called} ({method.upper()} {path}) is left out: {reason}")
            continue
        names.add(folded(called))
        made.append(described)
    return Service(
        name=name or kebab(title),
        title=title,
        base_url=(base_url or _base_url(document)).rstrip("/"),
        auth=_auth(document, drawn),
        is_form=is_form,
        idempotency_header=_idempotency_header(document, drawn),
        operations=tuple(made),
        left_out=tuple(left_out),
    )


def _operations(document: Document) -> Iterator[tuple[str, str, Node, Node]]:
    """Method, path, what the path's operations share, and the operation."""
    for path in document.at(document.root, "paths"):
        shared = document.at(document.root, "paths", path)
        for method in METHODS:
            if isinstance(shared.get(method), Mapping):
                yield method, str(path), shared, document.resolved(shared[method])


def _called(operation: Node, method: str, path: str, taken: set[str]) -> str:
    told = camel(str(operation.get("operationId") or ""))
    readable = _IN_PATH.sub(r"by \1", path)
    spelled = camel(f"{method} {readable}")
    first = spelled if told == "do" else told
    return distinct(first, _Folded(taken), [spelled])


class _Folded:
    """Names, however they are spelled."""

    def __init__(self, names: set[str]) -> None:
        self._names = names

    def __contains__(self, name: object) -> bool:
        return folded(str(name)) in self._names


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """An operation as the document has it."""

    name: str
    method: str
    path: str
    shared: Node  # what the operations of its path have in common
    operation: Node


def _described(document: Document, drawn: _Drawn, left_out: list[str], *, is_form: bool) -> Described:
    method, operation = drawn.method, drawn.operation
    parameters = fields.Fields(document, bodiless=method in {"get", "delete"}, left_out=left_out, subject=drawn.name)
    own = [document.resolved(each) for each in listed(operation.get("parameters"))]
    told = {_place(each) for each in own}
    inherited = [document.resolved(each) for each in listed(drawn.shared.get("parameters"))]
    everything = [*own, *(each for each in inherited if _place(each) not in told)]
    answer = _success(document, operation)
    query = {
        str(each["name"]): each.get("schema") for each in everything if each.get("in") == "query" and "name" in each
    }
    paging, taken = paging_of(document, query, answer) if method == "get" else (None, ())
    for each in everything:
        is_taken = each.get("in") == "query" and str(each.get("name")) in taken
        if not is_taken and str(each.get("name", "")).lower() != _IDEMPOTENCY:
            parameters.add(each)
    parameters.add_body(operation.get("requestBody"), is_form=is_form)
    found = tuple(parameters.found)
    accepts, answers_file = _accepts(document, answer)
    return Described(
        name=drawn.name,
        method=method.upper(),
        path=_path(drawn.path, found),
        title=" ".join(str(operation.get("summary") or "").split()).rstrip(".") or None,
        doc=str(operation.get("description") or operation.get("summary") or "").strip(),
        parameters=found,
        paging=paging,
        accepts=accepts,
        sends_file=parameters.sends_file,
        answers_file=answers_file,
    )


def _place(parameter: Node) -> tuple[str, str]:
    """What makes two parameters the same one."""
    return str(parameter.get("in")), str(parameter.get("name"))


def _path(path: str, parameters: tuple[Parameter, ...]) -> str:
    """*path* with the names of fields; literal parts as they are."""
    fields_by_name = {each.sent_as: each.name for each in parameters if each.where is Where.PATH}
    missing = [name for name in _IN_PATH.findall(path) if name not in fields_by_name]
    if missing:
        raise Unfit(f"its path has {{{missing[0]}}}, which is no parameter of it.")
    return _IN_PATH.sub(lambda found: f"{{{fields_by_name[found[1]]}}}", path)


def _success(document: Document, operation: Node) -> Node:
    answers = document.at(operation, "responses")
    statuses = sorted(str(status) for status in answers if str(status).startswith("2"))
    return document.at(answers, statuses[0]) if statuses else {}


def _accepts(document: Document, answer: Node) -> tuple[str | None, bool]:
    """The media type to ask for, where the answer is text, and whether it is a file."""
    kinds = [str(kind).partition(";")[0].strip().lower() for kind in document.at(answer, "content")]
    if not kinds or any("json" in kind or kind == "*/*" for kind in kinds):
        return None, False
    text = next((kind for kind in kinds if kind.startswith("text/") or kind.endswith("xml")), None)
    return text, text is None


def _is_form(document: Document, operations: list[Node]) -> bool:
    """Whether the service takes forms: one that takes JSON anywhere is taken for one that takes JSON."""
    kinds = [set(document.at(operation, "requestBody", "content")) for operation in operations]
    return any(FORM in each for each in kinds) and not any("json" in str(kind) for each in kinds for kind in each)


def _base_url(document: Document) -> str:
    servers = listed(document.root.get("servers"))
    server = document.resolved(servers[0]) if servers else {}
    variables = document.at(server, "variables")
    url = _VARIABLE.sub(
        lambda found: str(document.at(variables, found[1]).get("default", found[0])), str(server.get("url") or "")
    )
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname or "{" in url or parts.query:
        raise BadDocument(
            f"The document names no server that could be asked ({url or 'none at all'}); say the base URL."
        )
    return url


def _auth(document: Document, drawn: list[tuple[str, str, Node, Node]]) -> Auth:
    """How the credential is sent: by the first scheme that the document, or an operation of it, requires."""
    schemes = document.at(document.root, "components", "securitySchemes")
    places = [document.root, *(operation for *_, operation in drawn)]
    required = [
        name for place in places for each in listed(place.get("security")) if isinstance(each, Mapping) for name in each
    ]
    for name in [*required, *schemes]:
        auth = _auth_of(document.at(schemes, str(name)))
        if auth is not None:
            return auth
    return Bearer()


def _auth_of(scheme: Node) -> Auth | None:
    match scheme.get("type"), scheme.get("in"), str(scheme.get("scheme") or "").lower():
        case "apiKey", "header", _ if scheme.get("name"):
            return Header(name=str(scheme["name"]))
        case "apiKey", "query", _ if scheme.get("name"):
            return Query(name=str(scheme["name"]))
        case "http", _, "basic":
            return Basic()
        case ("http", _, "bearer") | ("oauth2" | "openIdConnect", _, _):
            return Bearer()
    return None


def _idempotency_header(document: Document, drawn: list[tuple[str, str, Node, Node]]) -> str | None:
    for *_, operation in drawn:
        for each in listed(operation.get("parameters")):
            parameter = document.resolved(each)
            if parameter.get("in") == "header" and str(parameter.get("name", "")).lower() == _IDEMPOTENCY:
                return str(parameter["name"])
    return None
