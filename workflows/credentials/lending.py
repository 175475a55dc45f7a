"""A credential as a node is lent it: of its own workspace, decrypted, hidden from all that is told, and fresh."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from handlers import ports
from workflows.credentials import refreshing
from workflows.credentials.kind import Borrower
from workflows.credentials.kinds.oauth2 import OAuth2
from workflows.credentials.models import Credential
from workflows.credentials.reading import filled_in, missing

USE_NOTED_EVERY: Final = timedelta(minutes=1)  # how exact last_used_at is: a busy credential is not a write per use


def lend(workspace_id: UUID, key: str, borrower: Borrower) -> ports.Credential:
    """The credential with the id or name *key*, its secrets hidden in what *borrower* tells from now on.

    Raises ConfigError (`credential_missing`, `credential_expired`, `unreadable_secret`), and what a token endpoint
    fails with.
    """
    credential = Credential.objects.of(workspace_id).called(key.strip())
    if credential is None:
        raise missing(key)
    _note_use(credential)
    filled = filled_in(credential, borrower)
    if isinstance(filled, OAuth2):
        filled = refreshing.fresh(credential, borrower)
    return filled.borrowed(id=str(credential.pk), name=credential.name)


def _note_use(credential: Credential) -> None:
    since = timezone.now() - USE_NOTED_EVERY
    if credential.last_used_at is not None and credential.last_used_at > since:
        return
    stale = Credential.objects.filter(pk=credential.pk).unused_since(since)
    with transaction.atomic():
        # Not of a row that is held for a refresh: a use is not worth the wait.
        unheld = stale.select_for_update(skip_locked=True, of=("self",)).values("pk")
        Credential.objects.filter(pk__in=unheld).update(last_used_at=timezone.now())
