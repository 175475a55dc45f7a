"""What the libraries that read documents raise, which is anything, as what the author can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from handlers.errors import HandlerError, InputError

UNREADABLE: Final = "unreadable_document"
TOO_COMPLEX: Final = "too_complex"
_SHOWN: Final = 200  # characters of an error


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Around the library that reads *what*. Too much memory, or nesting too deep, is for the process to die of."""
    try:
        yield
    except (HandlerError, MemoryError, RecursionError):
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {error}"[:_SHOWN]
        raise InputError(f"{what} cannot be read: it is damaged, or none ({told}).", code=UNREADABLE) from error


def too_complex(sentence: str) -> InputError:
    return InputError(sentence, code=TOO_COMPLEX)
