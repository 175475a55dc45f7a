"""All that is stored encrypted, whoever keeps it: brought under a new key together, and looked at together."""

from __future__ import annotations

from django.db import transaction

from workflows.credentials import services as credentials
from workflows.credentials.models import Credential
from workflows.encryption import Undecryptable, UnreadableSecrets, decrypted
from workflows.variables import services as variables
from workflows.variables.models import Variable


def rotate_secrets() -> int:
    """Encrypt every secret anew under SECRET_KEY, so that the fallbacks can go. Returns how many there are.

    Raises UnreadableSecrets, which names them all, and has then changed nothing.
    """
    unreadable: list[str] = []
    count = 0
    with transaction.atomic():
        for rotate in (variables.rotate_secrets, credentials.rotate_secrets):
            try:
                count += rotate()
            except UnreadableSecrets as error:
                unreadable += error.names
        if unreadable:
            raise UnreadableSecrets(unreadable)
    return count


def examine_secrets() -> int:
    """How many secrets are stored. Raises UnreadableSecrets, which names all that cannot be read."""
    rows = [
        *Variable.objects.filter(secret=True).values_list("name", "workspace_id", "value"),
        *Credential.objects.values_list("name", "workspace_id", "secrets"),
    ]
    unreadable = [f"{name} (of workspace {workspace_id})" for name, workspace_id, token in rows if not _reads(token)]
    if unreadable:
        raise UnreadableSecrets(unreadable)
    return len(rows)


def _reads(token: str) -> bool:
    try:
        decrypted(token)
    except Undecryptable:
        return False
    return True
