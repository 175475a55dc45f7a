"""All that is stored encrypted, whoever keeps it: brought under a new key together, and looked at together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from workflows.credentials.models import Credential
from workflows.encryption import Undecryptable, UnreadableSecrets, decrypted, rotated
from workflows.variables.models import Variable


def rotate_secrets() -> int:
    """Encrypt every secret anew under SECRET_KEY, so that the fallbacks can go. Returns how many there are.

    Raises UnreadableSecrets, which names them all, and has then changed nothing.
    """
    with transaction.atomic():
        kept = [(list(rows.select_for_update(of=("self",)).order_by("pk")), column) for rows, column in _secrets()]
        _each(kept, rotated)
        for rows, column in kept:
            if rows:
                type(rows[0])._default_manager.bulk_update(rows, [column], batch_size=500)  # noqa: SLF001 -- Django's documented name of it
    return sum(len(rows) for rows, _ in kept)


def examine_secrets() -> int:
    """How many secrets are stored. Raises UnreadableSecrets, which names all that cannot be read."""
    kept = [(list(rows.only("name", "workspace_id", column)), column) for rows, column in _secrets()]
    _each(kept, decrypted)
    return sum(len(rows) for rows, _ in kept)


def _secrets() -> list[tuple[QuerySet[Any], str]]:
    """Rows with secrets, and the column that has them."""
    return [(Variable.objects.filter(secret=True), "value"), (Credential.objects.all(), "secrets")]


def _each(kept: list[tuple[list[Any], str]], read: Callable[[str], str]) -> None:
    """Put what *read* makes of it in the place of every secret, in memory. Raises UnreadableSecrets."""
    unreadable: list[str] = []
    for rows, column in kept:
        for row in rows:
            try:
                setattr(row, column, read(getattr(row, column)))
            except Undecryptable:
                unreadable.append(f"{row.name} (of workspace {row.workspace_id})")
    if unreadable:
        raise UnreadableSecrets(unreadable)
