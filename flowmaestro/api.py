"""Errors as answers: the one table from what went wrong to a status and a code. Codes are API and stay put.

Whatever happens below /api, the answer is JSON in the envelope: never a page, never a stack trace.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.views import defaults
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import (
    HTTP_400_BAD_REQUEST,
    HTTP_401_UNAUTHORIZED,
    HTTP_503_SERVICE_UNAVAILABLE,
    is_server_error,
)
from rest_framework.views import APIView, set_rollback

from executions.core import (
    BadStart,
    BadVersion,
    BlobError,
    BlobsAway,
    NotCancellable,
    NotDeletable,
    NotHeld,
    NothingFailed,
    NotOverYet,
    NotPausable,
)
from executions.models import Waitpoint
from executions.services import BadEntry, BadUntil
from executions.tickets import ExpiredTicket, TicketError
from executions.waitpoints import errors as refusals
from executions.waitpoints.naming import Named
from handlers import JSONObject, JSONValue
from handlers.paths import BadPath
from workflows.core import InvalidDefinition, Issue
from workflows.credentials.errors import CredentialNameTaken, CredentialRefused, NotConnectable
from workflows.credentials.kind import NotTestable
from workflows.errors import NotPublished, UnknownVersion
from workflows.files import errors as file_refusals
from workflows.files.links import BadLink as BadFileLink
from workflows.http import errors
from workflows.http.envelope import EnvelopeRenderer, ErrorBody
from workflows.variables.errors import NameTaken, VariableRefused

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """How an error is told. *message* None: its own sentence."""

    status: int
    code: str
    details: Callable[[Any], JSONObject] | None = None
    message: Callable[[Any], str] | None = None


ANSWERS: Final[Mapping[type[Exception], Answer]] = {
    # The caller is not known, or may not.
    errors.BadApiKey: Answer(401, "invalid_api_key"),
    errors.RevokedApiKey: Answer(401, "revoked_api_key"),
    errors.ExpiredApiKey: Answer(401, "expired_api_key"),
    TicketError: Answer(401, "invalid_ticket"),
    ExpiredTicket: Answer(401, "expired_ticket"),
    errors.CsrfFailed: Answer(403, "csrf_failed"),
    errors.NoWorkspace: Answer(403, "no_workspace"),
    errors.InsufficientScope: Answer(
        403,
        "insufficient_scope",
        lambda error: {
            "required_scopes": error.required,
            "missing_scopes": error.missing,
            "your_scopes": error.yours,
        },
    ),
    errors.WorkspaceNeeded: Answer(
        400,
        "workspace_required",
        lambda error: {"workspaces": [{"id": str(pk), "name": name} for pk, name in error.workspaces]},
    ),
    # What is asked for is not there.
    errors.ObjectNotFound: Answer(
        404, "resource_not_found", lambda error: {"resource": error.resource, "id": error.key}
    ),
    errors.EndpointNotFound: Answer(404, "resource_not_found", lambda error: {"path": error.path}),
    UnknownVersion: Answer(404, "resource_not_found", lambda error: {"resource": "Version", "id": str(error.number)}),
    refusals.NoSuchWaitpoint: Answer(
        404, "resource_not_found", lambda error: {"resource": "Waitpoint", "id": error.name}
    ),
    file_refusals.FileMissing: Answer(404, "resource_not_found", lambda error: {"resource": "File", "id": error.path}),
    BadFileLink: Answer(404, "resource_not_found"),
    refusals.BadLink: Answer(404, "resource_not_found"),
    Http404: Answer(404, "resource_not_found", message=lambda _: "There is no such object."),
    ObjectDoesNotExist: Answer(404, "resource_not_found", message=lambda _: "There is no such object any more."),
    # The request does not make sense.
    exceptions.ParseError: Answer(400, "malformed_body"),
    exceptions.ValidationError: Answer(
        400,
        "validation_error",
        lambda error: {"fields": [{"field": field, "message": message} for field, message in _flat(error.detail)]},
        lambda error: "; ".join(f"{field}: {message}" if field else message for field, message in _flat(error.detail)),
    ),
    errors.BadIdempotencyKey: Answer(400, "validation_error", lambda error: _field("Idempotency-Key", error)),
    InvalidDefinition: Answer(400, "validation_error", lambda error: _issues(error.issues)),
    BadEntry: Answer(400, "validation_error", lambda error: {**_field("entry", error), "entries": [*error.roots]}),
    BadUntil: Answer(400, "validation_error", lambda error: {**_field("until_node", error), "nodes": [*error.nodes]}),
    BadStart: Answer(400, "validation_error", lambda error: _field("from_node", error)),
    BadVersion: Answer(400, "validation_error", lambda error: _field("version", error)),
    VariableRefused: Answer(400, "validation_error", lambda error: _field(error.field, error)),
    BadPath: Answer(400, "validation_error", lambda error: _field("path", error)),
    CredentialRefused: Answer(
        400, "validation_error", lambda error: {"fields": [_field_of(*wrong) for wrong in error.wrong]}
    ),
    NotCancellable: Answer(400, "validation_error", lambda error: {"status": error.status}),
    UnreadablePostError: Answer(400, "malformed_body", message=lambda _: "The body broke off."),
    exceptions.MethodNotAllowed: Answer(405, "method_not_allowed"),
    exceptions.NotAcceptable: Answer(406, "not_acceptable"),
    RequestDataTooBig: Answer(413, "payload_too_large", message=lambda _: "The body is larger than 10 MB."),
    file_refusals.FileTooLarge: Answer(
        413, "payload_too_large", lambda error: {"size": error.size, "max_size": error.most}
    ),
    exceptions.UnsupportedMediaType: Answer(415, "unsupported_media_type"),
    # It does, but not as things are.
    NotPublished: Answer(409, "not_published", lambda error: _issues(error.issues)),
    NotOverYet: Answer(409, "execution_not_over", lambda error: {"status": error.status}),
    NotDeletable: Answer(409, "execution_not_over", lambda error: {"status": error.status}),
    NothingFailed: Answer(409, "nothing_failed"),
    NameTaken: Answer(409, "name_taken", lambda error: _field(error.field, error)),
    file_refusals.FileExists: Answer(409, "file_exists", lambda error: {"path": error.path}),
    file_refusals.QuotaExceeded: Answer(
        409, "quota_exceeded", lambda error: {"used": error.used, "quota": error.most, "needed": error.needed}
    ),
    CredentialNameTaken: Answer(
        409, "name_taken", lambda error: {"fields": [_field_of(*wrong) for wrong in error.wrong]}
    ),
    NotTestable: Answer(409, "not_testable"),
    NotConnectable: Answer(409, "not_connectable"),
    NotPausable: Answer(409, "not_pausable", lambda error: {"status": error.status}),
    NotHeld: Answer(409, "not_paused", lambda error: {"status": error.status}),
    refusals.WaitpointNeeded: Answer(409, "waitpoint_required", lambda error: _listed(error.candidates, error.total)),
    refusals.Answered: Answer(409, "waitpoint_answered", lambda error: _waitpoint(error.waitpoint)),
    refusals.Expired: Answer(409, "waitpoint_expired", lambda error: _waitpoint(error.waitpoint)),
    refusals.Withdrawn: Answer(409, "waitpoint_withdrawn", lambda error: _waitpoint(error.waitpoint)),
    refusals.RunEnded: Answer(409, "run_ended", lambda error: _waitpoint(error.waitpoint)),
    refusals.WrongKind: Answer(409, "wrong_kind", lambda error: _waitpoint(error.waitpoint)),
    refusals.VotedAlready: Answer(409, "voted_already", lambda error: {"voter": error.voter}),
    errors.IdempotencyConflict: Answer(409, "idempotency_conflict"),
    errors.IdempotencyInProgress: Answer(409, "idempotency_in_progress"),
    # It would, with another answer.
    refusals.Unfit: Answer(422, "invalid_answer", lambda error: {"errors": error.wrong}),
    # It is not the caller's move.
    OperationalError: Answer(503, "service_unavailable", message=lambda _: "The database does not answer; try again."),
    InterfaceError: Answer(503, "service_unavailable", message=lambda _: "The database does not answer; try again."),
    BlobsAway: Answer(
        503, "service_unavailable", message=lambda _: "The storage of large outputs does not answer; try again."
    ),
    file_refusals.FilesAway: Answer(
        503, "service_unavailable", message=lambda _: "The storage of files does not answer; try again."
    ),
    BlobError: Answer(
        500, "output_unreadable", message=lambda _: "A large output is not in its storage any more, or not what it was."
    ),
}

_HEADERS: Final = {
    HTTP_401_UNAUTHORIZED: {"WWW-Authenticate": 'Bearer realm="api"'},
    HTTP_503_SERVICE_UNAVAILABLE: {"Retry-After": "5"},  # seconds; a database that is restarted is back by then
}
INTERNAL: Final = Answer(500, "internal_error", message=lambda _: "Something went wrong here; it has been recorded.")


def handle_error(error: Exception, context: Mapping[str, Any]) -> Response:
    """REST framework's EXCEPTION_HANDLER: the answer to *error*. What is not in the table is a bug, and is logged."""
    answer = answer_to(error)
    if is_server_error(answer.status):
        request: Request = context["request"]
        logger.error("%s %s", request.method, request.path, exc_info=error)
        if answer is INTERNAL:
            got_request_exception.send(sender=handle_error, request=request)
    set_rollback()
    return Response(body_of(error), status=answer.status, headers=_HEADERS.get(answer.status))


def answer_to(error: Exception) -> Answer:
    """The row of the nearest class that *error* is an instance of."""
    return next((ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS), INTERNAL)


def body_of(error: Exception) -> ErrorBody:
    answer = answer_to(error)
    return ErrorBody(
        code=answer.code,
        message=answer.message(error) if answer.message else str(error),
        details=answer.details(error) if answer.details else None,
    )


class UnknownEndpoint(APIView):
    """What is at no other address below /api, for every method and every caller."""

    authentication_classes = []
    permission_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        del args, kwargs
        raise errors.EndpointNotFound(str(request.method), request.path)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's own 400s, such as a Host header that is not allowed, in the shape of the door that was knocked at."""
    if not _speaks_json(request):
        return defaults.bad_request(request, exception)
    body = ErrorBody(code="bad_request", message="The request is malformed.")
    return _json(body, request, status=HTTP_400_BAD_REQUEST)


def server_error(request: HttpRequest) -> HttpResponse:
    """What failed outside the views, in the shape of the door that was knocked at."""
    if not _speaks_json(request):
        return defaults.server_error(request)
    return _json(body_of(RuntimeError()), request, status=INTERNAL.status)


def _json(body: ErrorBody, request: HttpRequest, *, status: int) -> HttpResponse:
    content = EnvelopeRenderer().render(body, renderer_context={"request": request})
    return HttpResponse(content, status=status, content_type="application/json")


def _speaks_json(request: HttpRequest) -> bool:
    return request.path.startswith(("/api/", "/health/"))


def _flat(detail: Any, place: str = "") -> list[tuple[str, str]]:
    """The sentences of REST framework's nested error detail, each with the path of its field."""
    match detail:
        case dict():
            parts = [(_join(place, str(key)), value) for key, value in detail.items()]
        case list() if any(isinstance(item, dict | list) for item in detail):
            parts = [(_join(place, str(index)), value) for index, value in enumerate(detail) if value]
        case list():
            parts = [(place, value) for value in detail]
        case _:
            return [(place, str(detail))]
    return [found for path, value in parts for found in _flat(value, path)]


def _join(place: str, key: str) -> str:
    if key == "non_field_errors":
        return place
    return f"{place}.{key}" if place else key


def _field(name: str, error: Exception) -> JSONObject:
    return {"fields": [_field_of(name, str(error))]}


def _field_of(name: str, message: str) -> JSONObject:
    return {"field": name, "message": message}


def _issues(issues: Iterable[Issue]) -> JSONObject:
    return {"issues": [issue.to_json() for issue in issues]}


def _waitpoint(waitpoint: Waitpoint) -> JSONObject:
    return {"waitpoint_id": str(waitpoint.pk), "kind": waitpoint.kind, "status": waitpoint.status}


def _listed(candidates: Iterable[Named], total: int) -> JSONObject:
    told: list[JSONValue] = [
        {"id": str(named.waitpoint.pk), "path": named.path, "kind": named.waitpoint.kind} for named in candidates
    ]
    return {"waitpoints": told, "total": total}
