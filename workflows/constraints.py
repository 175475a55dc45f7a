"""What the database refuses, told as what it means."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction


@contextmanager
def meaning(constraint: str, refusal: Exception) -> Iterator[None]:
    """Around what may break *constraint*: raises *refusal* then, and the transaction can go on."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if constraint in str(error):
            raise refusal from error
        raise
