"""What is filled in of a credential, for whoever uses it; its secrets are hidden before anything can be told."""

from __future__ import annotations

from handlers import ConfigError
from workflows.credentials import values
from workflows.credentials.errors import CredentialRefused
from workflows.credentials.kind import Borrower, Kind
from workflows.credentials.models import Credential
from workflows.encryption import Undecryptable, UnreadableSecrets


def filled_in(credential: Credential, borrower: Borrower) -> Kind:
    """What is filled in of *credential*, its secrets hidden. Raises ConfigError."""
    try:
        filled = values.read(credential)
    except Undecryptable:
        error = UnreadableSecrets([credential.name])
        raise ConfigError(f"The credential {error}.", code=error.code) from None
    except CredentialRefused as refused:
        raise ConfigError(f"The credential {credential.name!r} cannot be used as it is: {refused}") from None
    borrower.hide(*filled.secrets())
    return filled


def missing(key: str) -> ConfigError:
    return ConfigError(
        f"There is no credential {key!r} in this workspace: name one that there is, or make it (POST /credentials).",
        code="credential_missing",
    )
