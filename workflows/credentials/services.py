"""What is done with credentials: kept, changed, removed, tried out. One verb, one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from handlers import HandlerError
from workflows.constraints import meaning
from workflows.credentials import values
from workflows.credentials.errors import BadValues, CredentialNameTaken
from workflows.credentials.kind import NotTestable
from workflows.credentials.kinds.oauth2 import OAuth2
from workflows.credentials.models import Credential
from workflows.credentials.reading import filled_in
from workflows.credentials.refreshing import fresh
from workflows.credentials.trials import Trial
from workflows.workspaces.models import User

_VALUES = ("plain", "secrets", "secrets_set", "expires_at", "refused_at")
_TEST = ("tested_at", "test_succeeded", "test_message")


def create_credential(
    workspace_id: UUID,
    *,
    name: str,
    kind: str,
    filled: Mapping[str, Any],
    expires_at: datetime | None = None,
    created_by: User | None = None,
) -> Credential:
    """A new credential. Raises CredentialNameTaken, UnknownKind, BadValues."""
    credential = Credential(workspace_id=workspace_id, name=name, kind=kind, created_by=created_by)
    values.write(credential, values.checked(kind, filled))
    credential.expires_at = _expiring(credential, expires_at)
    with _named_once(name):
        credential.save(force_insert=True)
    return credential


def update_credential(credential_id: UUID, *, changes: Mapping[str, Any]) -> Credential:
    """The credential with *changes*: any of name, values (merged field by field, null empties one) and expires_at.

    New values have not been tested, and connect an expired one again. Nodes that run on keep what they were lent.
    Raises CredentialNameTaken, BadValues, Credential.DoesNotExist.
    """
    with transaction.atomic():
        credential: Credential = Credential.objects.select_for_update(of=("self",)).get(pk=credential_id)
        credential.name = changes.get("name", credential.name)
        changed = ["name"]
        if "values" in changes:
            _fill(credential, changes["values"])
            changed += [*_VALUES, *_TEST]
        if "expires_at" in changes:
            credential.expires_at = _expiring(credential, changes["expires_at"])
            changed.append("expires_at")
        with _named_once(credential.name):
            credential.save(update_fields={*changed, "updated_at"})
    return credential


def delete_credential(credential_id: UUID) -> None:
    """Remove a credential; a node that asks for it from now on fails. Raises Credential.DoesNotExist."""
    if not Credential.objects.filter(pk=credential_id).delete()[0]:
        raise Credential.DoesNotExist


def test_credential(credential_id: UUID) -> Credential:
    """The credential, tried out: what came of it is stored with it, unless it was changed meanwhile.

    Raises NotTestable, Credential.DoesNotExist.
    """
    credential: Credential = Credential.objects.get(pk=credential_id)
    trial = Trial()
    try:
        succeeded, message = True, _try_out(credential, trial)
    except NotTestable:
        raise
    except HandlerError as error:
        succeeded, message = False, str(error)
    Credential.objects.filter(pk=credential_id, updated_at=credential.updated_at).update(
        tested_at=timezone.now(), test_succeeded=succeeded, test_message=trial.told(message)
    )
    credential.refresh_from_db()
    return credential


def _try_out(credential: Credential, trial: Trial) -> str:
    filled = filled_in(credential, trial)
    if isinstance(filled, OAuth2):
        fresh(credential, trial, at_once=True)
        return "The provider has given out a new access token."
    return filled.try_out(trial)


def _fill(credential: Credential, given: Mapping[str, Any]) -> None:
    values.write(credential, values.merged(credential, given))
    credential.tested_at, credential.test_succeeded, credential.test_message = None, None, ""
    credential.refused_at = None
    if "access_token" in given:
        credential.expires_at = None  # that was another token's


def _expiring(credential: Credential, expires_at: datetime | None) -> datetime | None:
    if expires_at is not None and credential.kind != OAuth2.kind:
        raise BadValues([("expires_at", "Only an oauth2 credential has an access token that expires.")])
    return expires_at


def _named_once(name: str) -> AbstractContextManager[None]:
    return meaning("credential_once", CredentialNameTaken(name))
