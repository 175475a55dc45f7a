"""`Idempotency-Key`: a request sent again has its effect once, and gets the answer it would have got.

The answer is stored in the transaction of the effect. While that transaction lives, its key is held by an advisory
lock, which PostgreSQL drops with it: a process that dies leaves nothing "in progress". The road not taken is a row that
says so, committed first; somebody then has to find out that its owner is dead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.status import is_success
from rest_framework.utils.encoders import JSONEncoder

from workflows.http.auth import caller_of
from workflows.http.envelope import ErrorBody
from workflows.http.errors import BadIdempotencyKey, IdempotencyConflict, IdempotencyInProgress
from workflows.http.models import StoredAnswer

HEADER: Final = "Idempotency-Key"
KEPT: Final = timedelta(hours=24)
_CLEARED: Final = 50  # old answers that go with every new one: more than come, so they do not pile up
_SALT: Final = "workflows.http.idempotency"
_KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")

PARAMETER: Final = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="Any text of up to 255 characters. Within 24 hours, the same request with the same key gets the same "
    "answer and has no second effect; another request with it gets a 409.",
)


def once(
    request: Request, act: Callable[[], Response], *, keeps: type[Exception] | tuple[type[Exception], ...] = ()
) -> Response:
    """What *act* answers, or what it answered to the same request before. *act* takes effect in one transaction.

    Raises BadIdempotencyKey, IdempotencyConflict, IdempotencyInProgress; whatever *act* raises leaves no trace, but for
    what it *keeps*: refusals that are the answer to this request once and for all. What it wants done after the commit
    has to be robust: who is told of a failure then would send the request again.
    """
    key = request.headers.get(HEADER)
    if key is not None and not _KEY.fullmatch(key):
        raise BadIdempotencyKey
    with transaction.atomic():
        return act() if key is None else _answer(request, key, act, keeps)


def once_by(name: str, request: Request, act: Callable[[], Response]) -> Response:
    """The same for a request whose body names it. *name* holds a character that HEADER cannot: they never meet."""
    with transaction.atomic():
        return _answer(request, name, act)


def _answer(
    request: Request,
    key: str,
    act: Callable[[], Response],
    keeps: type[Exception] | tuple[type[Exception], ...] = (),
) -> Response:
    workspace_id = caller_of(request).workspace_id
    fingerprints = _fingerprints(request)
    _hold(workspace_id, key)
    now = timezone.now()
    stored = StoredAnswer.objects.filter(workspace=workspace_id, key=key, created_at__gt=now - KEPT).first()
    if stored is not None:
        if stored.fingerprint not in fingerprints:
            raise IdempotencyConflict
        return Response(_told(stored), status=stored.status)
    _clear(workspace_id)
    try:
        with transaction.atomic():
            answer = act()
    except keeps as refusal:
        as_answer: Any = api_settings.EXCEPTION_HANDLER  # the function that the name in the settings means
        answer = as_answer(refusal, {"request": request})
    StoredAnswer.objects.update_or_create(
        workspace_id=workspace_id,
        key=key,
        defaults={
            "fingerprint": fingerprints[0],
            "status": answer.status_code,
            "body": _plain(answer.data),
            "created_at": now,
        },
    )
    return answer


def _hold(workspace_id: UUID, key: str) -> None:
    """Hold *key* until this transaction ends. Raises IdempotencyInProgress when another one holds it."""
    number = int.from_bytes(sha256(f"{workspace_id}:{key}".encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (held,) = cursor.fetchone()
    if not held:
        raise IdempotencyInProgress


def _clear(workspace_id: UUID) -> None:
    """Drop some old answers. Nothing waits: those that another request drops at this moment are left to it."""
    old = StoredAnswer.objects.filter(workspace=workspace_id).older_than(timezone.now() - KEPT)
    rows = old.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True)[:_CLEARED]
    StoredAnswer.objects.filter(pk__in=list(rows)).delete()


def _fingerprints(request: Request) -> list[str]:
    """What tells *request* from others: under SECRET_KEY, and as it was under each of its fallbacks.

    Keyed, because a body may hold a secret, and a bare hash of a short one is soon guessed.
    """
    body = json.dumps(request.data, sort_keys=True, separators=(",", ":"))
    told = "\n".join([str(request.method), request.path, body])
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac(_SALT, told, secret=key, algorithm="sha256").hexdigest() for key in keys]


def _plain(data: Any) -> Any:
    """*data* as a client reads it: identifiers and times are text."""
    return json.loads(json.dumps(asdict(data) if isinstance(data, ErrorBody) else data, cls=JSONEncoder))


def _told(stored: StoredAnswer) -> Any:
    return stored.body if is_success(stored.status) else ErrorBody(**stored.body)
