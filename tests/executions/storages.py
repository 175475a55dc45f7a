"""Blob storages of the tests: in memory, and one that can be away."""

from __future__ import annotations

from typing import IO, Any

from django.conf import settings
from django.core.files.storage import InMemoryStorage


def with_outputs_in(backend: str, **options: Any) -> dict[str, Any]:
    """STORAGES with another place for large outputs."""
    return {**settings.STORAGES, "outputs": {"BACKEND": backend, "OPTIONS": options}}


class Away(Exception):
    """What the library of some provider raises: no OSError, and nobody's base class."""


class Shaky(InMemoryStorage):
    """A storage that is away for the next so many calls of each kind, and counts them all."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.away = {"save": 0, "open": 0, "listdir": 0}
        self.calls = {"save": 0, "open": 0, "listdir": 0}
        self.error: Exception = Away("503 SlowDown")

    def save(self, name: str | None, content: IO[Any], max_length: int | None = None) -> str:
        self._ask("save")
        return super().save(name, content, max_length)

    def open(self, name: str, mode: str = "rb") -> Any:
        self._ask("open")
        return super().open(name, mode)

    def listdir(self, path: str) -> Any:
        self._ask("listdir")
        return super().listdir(path)

    def _ask(self, kind: str) -> None:
        self.calls[kind] += 1
        if self.away[kind] > 0:
            self.away[kind] -= 1
            raise self.error
