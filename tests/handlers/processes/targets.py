"""Functions for the children of the tests to run."""

from __future__ import annotations

import ctypes
import sys
import time
from typing import Any

from handlers.errors import ConfigError, InputError, ProviderError, RateLimited


class Choosy(InputError):
    """A kind of our own."""


def double(argument: Any, content: bytes) -> tuple[Any, bytes]:
    return {"twice": argument * 2}, content * 2


def prints(argument: Any, content: bytes) -> tuple[Any, bytes]:
    sys.stdout.write(argument)
    return None, b""


def modules(argument: Any, content: bytes) -> tuple[Any, bytes]:
    return [name for name in argument if name in sys.modules], b""


def raises(argument: Any, content: bytes) -> tuple[Any, bytes]:
    raise {
        "config": ConfigError("mode: there is none", code="no_mode", details={"field": "mode"}),
        "limited": RateLimited("wait", status=429, retry_after=7.5),
        "provider": ProviderError("gone", status=410, retryable=False),
        "choosy": Choosy("not this", code="choosy"),
        "bug": KeyError("surprise"),
    }[argument]


def answers_nonsense(argument: Any, content: bytes) -> tuple[Any, bytes]:
    return {1, 2}, b""


def hoards(argument: Any, content: bytes) -> tuple[Any, bytes]:
    return len(bytearray(argument)), b""


def sleeps(argument: Any, content: bytes) -> tuple[Any, bytes]:
    time.sleep(argument)
    return None, b""


def spins(argument: Any, content: bytes) -> tuple[Any, bytes]:
    while True:
        pass


def crashes(argument: Any, content: bytes) -> tuple[Any, bytes]:
    return ctypes.string_at(0), b""


def floods(argument: Any, content: bytes) -> tuple[Any, bytes]:
    return None, b"x" * argument


def digs(argument: Any, content: bytes) -> tuple[Any, bytes]:
    return digs(argument, content)
