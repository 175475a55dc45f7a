"""A credential tried out by somebody who waits for the answer: so many seconds, and nothing secret in what is told."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final

from handlers import NodeTimeout
from workflows.core.masking import mask_of

TRIAL_SECONDS: Final = 15.0


class Trial:
    """Borrows a credential as an attempt of a node does (`workflows.credentials.kind.Borrower`)."""

    def __init__(self, *, seconds: float = TRIAL_SECONDS) -> None:
        self._ends_at = monotonic() + seconds
        self._secrets: frozenset[str] = frozenset()

    def hide(self, *secrets: str) -> None:
        self._secrets |= frozenset(secrets)

    def told(self, message: str) -> str:
        """*message* without what was hidden."""
        return mask_of(self._secrets).text(message)

    def check_cancelled(self) -> None:
        if self.remaining() <= 0:
            raise NodeTimeout("It took too long.")

    def on_cancel(self, stop: Callable[[], None]) -> None:
        """Nobody calls a trial off: whatever waits does so for `remaining` seconds."""

    def remaining(self) -> float:
        return self._ends_at - monotonic()
