"""Access tokens renewed before they run out: by one at a time, over all workers.

Whoever renews holds the credential's row, and looks at it a second time first; the others look again until the row is
free or its token fresh, and need no database connection in between. What the provider answers is stored in the
transaction that holds the row. Not covered: a worker that dies, or a database that goes away, between that answer and
the commit. A provider that replaces refresh tokens has forgotten the stored one by then, and the credential has to be
connected again.
"""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import Final

from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from handlers import ConfigError, ProviderError
from workflows.credentials import values
from workflows.credentials.errors import CredentialRefused
from workflows.credentials.kind import Borrower
from workflows.credentials.kinds.oauth2 import OAuth2
from workflows.credentials.models import Credential
from workflows.credentials.reading import filled_in, missing
from workflows.credentials.tokens import GrantRefused, Tokens, renewed

# What is lent has to last for the request that is about to be made, on clocks that differ a little.
REFRESHED_AHEAD: Final = timedelta(seconds=60)
LOOK_AGAIN: Final = 0.2  # seconds between looks at a credential that somebody else renews


def fresh(credential: Credential, borrower: Borrower, *, at_once: bool = False) -> OAuth2:
    """*credential*, renewed if its access token has nearly run out; *at_once*: even if it has not.

    Raises ConfigError with code `credential_expired` when its provider renews it no more, ProviderError when renewing
    fails otherwise, and what *borrower* is called off by.
    """
    seen, woken = credential.secrets, Event()
    borrower.on_cancel(woken.set)
    while True:
        borrower.check_cancelled()
        found = _settled(credential, borrower, seen, at_once=at_once) or _renewed_by_us(
            credential, borrower, seen, at_once=at_once
        )
        if found is not None:
            return found
        if not connection.in_atomic_block:
            connection.close()
        woken.wait(LOOK_AGAIN)
        try:
            credential = Credential.objects.get(pk=credential.pk)
        except Credential.DoesNotExist:
            raise missing(credential.name) from None


def store(held: Credential, tokens: Tokens) -> OAuth2:
    """Put *tokens* into *held*, whose row is locked. Raises ProviderError for what cannot be kept."""
    changes = {"access_token": tokens.access_token}
    if tokens.refresh_token is not None:
        changes["refresh_token"] = tokens.refresh_token
    try:
        client = values.merged(held, changes)
    except CredentialRefused as error:
        raise ProviderError(f"The tokens that came cannot be used: {error}", code="invalid_response") from None
    values.write(held, client)
    held.expires_at, held.refused_at = tokens.expires_at, None
    held.save(update_fields=["plain", "secrets", "secrets_set", "expires_at", "refused_at"])
    assert isinstance(client, OAuth2)  # noqa: S101 -- for the type checker: what it was before
    return client


def _settled(credential: Credential, borrower: Borrower, seen: str, *, at_once: bool) -> OAuth2 | None:
    """The credential, if nothing needs to be done; *seen* is what it was when we began. Raises ConfigError."""
    client = filled_in(credential, borrower)
    if not isinstance(client, OAuth2):
        raise TypeError(f"{credential.pk} is of another kind")
    is_renewed = credential.secrets != seen  # by somebody else, meanwhile
    if credential.refused_at is not None and (is_renewed or not at_once):
        raise _expired(credential)
    if client.access_token is None or (at_once and not is_renewed):
        return None
    ahead = timedelta() if is_renewed else REFRESHED_AHEAD  # some tokens never last for more
    return client if credential.expires_at is None or credential.expires_at > timezone.now() + ahead else None


def _renewed_by_us(credential: Credential, borrower: Borrower, seen: str, *, at_once: bool) -> OAuth2 | None:
    """None while somebody else holds the row."""
    try:
        with transaction.atomic():
            held: Credential = Credential.objects.select_for_update(of=("self",), nowait=True).get(pk=credential.pk)
            found = _settled(held, borrower, seen, at_once=at_once)
            if found is not None:
                return found
            client = filled_in(held, borrower)
            assert isinstance(client, OAuth2)  # noqa: S101 -- for the type checker: _settled has looked
            try:
                return store(held, renewed(client, borrower))
            except GrantRefused as error:
                refused = error
                held.refused_at = timezone.now()
                held.save(update_fields=["refused_at"])
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return None
        raise
    except Credential.DoesNotExist:
        raise missing(credential.name) from None
    raise _expired(credential, why=str(refused))


def _expired(credential: Credential, *, why: str = "") -> ConfigError:
    told = f"The credential {credential.name!r} has to be connected again: its provider renews it no more"
    return ConfigError(f"{told} ({why})." if why else f"{told}.", code="credential_expired")
