"""What nodes may connect to, and what names mean, for the time of a test."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from handlers.network import egress


@contextmanager
def allowing(*entries: str) -> Iterator[None]:
    before = egress.current_policy()
    egress.use(egress.read_policy(entries))
    try:
        yield
    finally:
        egress.use(before)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: Sequence[str]) -> list[str]:
    """Have names resolve to each of the *answers* in turn, the last again and again; returns the names asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def answer(host: str, port: int, **options: Any) -> list[Any]:
        if options.get("flags"):
            return real(host, port, **options)
        asked.append(host)
        rows = answers[min(len(asked), len(answers)) - 1]
        return [row for place in rows for row in real(place, port, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked
