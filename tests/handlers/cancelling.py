"""A run that is cancelled while one of its nodes waits for somebody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from time import monotonic

import pytest

from handlers.errors import Cancelled
from tests.handlers.fakes import RecordingLent

AFTER_SECONDS = 0.2
# Far below what nodes wait for by themselves, and far above what a busy machine needs.
AT_ONCE_SECONDS = 5


@contextmanager
def cancelled(lent: RecordingLent) -> Iterator[None]:
    """Cancel *lent* in a moment: what is within has to end with that, at once."""
    cancelling = Timer(AFTER_SECONDS, lent.cancel)
    cancelling.start()
    started = monotonic()
    with pytest.raises(Cancelled):
        yield
    took = monotonic() - started
    cancelling.join()
    assert took < AT_ONCE_SECONDS
