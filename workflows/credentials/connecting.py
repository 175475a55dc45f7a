"""A credential let in by its owner: sent to the provider, and back with a code that is exchanged for tokens.

Source: RFC 6749, 4.1 (authorisation code); RFC 7636 (PKCE, S256); RFC 9700, 2.1 and 4.7 (one `state` for one use, held
against who began). The `state` is random and stored as a hash, so it needs no signature.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Final
from uuid import UUID

import httpx2
from django.db import transaction

from handlers import HandlerError
from workflows.credentials.errors import BadConsent, NotConnectable
from workflows.credentials.kinds.oauth2 import OAuth2
from workflows.credentials.models import Consent, Credential
from workflows.credentials.reading import filled_in
from workflows.credentials.refreshing import store
from workflows.credentials.tokens import GrantRefused, request_tokens
from workflows.credentials.trials import Trial
from workflows.encryption import Undecryptable, decrypted, encrypted
from workflows.workspaces.models import User

LIFETIME: Final = timedelta(minutes=10)  # of a consent that is asked for; to log in and read takes a few
_BYTES: Final = 48  # of chance, 64 characters: RFC 7636 wants 43 to 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    url: str  # where its owner is asked
    expires_at: datetime  # of the answer


def begin(credential_id: UUID, *, redirect_uri: str, asked_by: User | None, now: datetime) -> Asked:
    """Where to send the credential's owner, who comes back to *redirect_uri*. An earlier asking is of no use any more.

    Raises NotConnectable, Credential.DoesNotExist.
    """
    credential: Credential = Credential.objects.get(pk=credential_id)
    try:
        client = filled_in(credential, Trial())
    except HandlerError as error:
        raise NotConnectable(str(error)) from None
    if not isinstance(client, OAuth2) or client.grant != "refresh_token":
        raise NotConnectable("Only an oauth2 credential whose grant is refresh_token is let in by its owner.")
    if client.authorize_url is None:
        raise NotConnectable("Set authorize_url: it says where its owner is asked.")
    state, verifier = token_urlsafe(_BYTES), token_urlsafe(_BYTES)
    consent, _ = Consent.objects.update_or_create(
        credential=credential,
        defaults={
            "digest": _digest(state),
            "verifier": encrypted(verifier),
            "redirect_uri": redirect_uri,
            "asked_by": asked_by,
            "expires_at": now + LIFETIME,
        },
    )
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({} if client.scopes is None else {"scope": client.scopes}),
    }
    return Asked(url=str(httpx2.URL(client.authorize_url).copy_merge_params(query)), expires_at=consent.expires_at)


def finish(*, state: str, code: str | None, user: User | None, now: datetime) -> Credential:
    """The credential with the tokens that *code* brings. What was begun by a person is finished by the same one.

    The state is used up whatever comes of it. Raises BadConsent, whose message has no secret in it.
    """
    consent = _take(state, user=user, now=now)
    if not code:
        raise BadConsent("The provider was not allowed to let it in. Begin anew if that was a mistake.")
    trial = Trial()
    try:
        verifier = decrypted(consent.verifier)
        trial.hide(code, verifier)
        client = filled_in(consent.credential, trial)
        if not isinstance(client, OAuth2):
            raise BadConsent
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": consent.redirect_uri}
        tokens = request_tokens(client, {**grant, "code_verifier": verifier}, trial)
        with transaction.atomic():
            held: Credential = Credential.objects.select_for_update(of=("self",)).get(pk=consent.credential_id)
            store(held, tokens)
    except (GrantRefused, HandlerError) as refused:
        raise BadConsent(f"No tokens came for it. {trial.told(str(refused))}") from None
    except (Undecryptable, Credential.DoesNotExist):
        raise BadConsent from None
    return held


def _take(state: str, *, user: User | None, now: datetime) -> Consent:
    """The consent that *state* was made for, which nobody can take again."""
    consent = Consent.objects.select_related("credential").filter(digest=_digest(state)).first()
    if consent is None or (consent.asked_by_id is not None and (user is None or user.pk != consent.asked_by_id)):
        raise BadConsent
    # Of two that come at once, one deletes it.
    if not Consent.objects.filter(digest=consent.digest).delete()[0] or consent.expires_at <= now:
        raise BadConsent
    return consent


def _digest(state: str) -> str:
    return sha256(state.encode()).hexdigest()
