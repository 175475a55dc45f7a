"""Typed readers of environment variables. Each fails naming the variable; a secret may come from a file instead."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


class BadEnvironment(ValueError):
    """An environment variable cannot be read as what it should be."""


def env(name: str, default: str = "") -> str:
    """The text of *name*, or of the file that *name*_FILE points at (how container platforms hand in secrets)."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadEnvironment(f"{name}_FILE: cannot read {path!r}: {error.strerror}") from error
    return os.environ.get(name, default)


def env_bool(name: str, *, default: bool) -> bool:
    text = env(name, str(default)).strip().lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise BadEnvironment(f"{name}={text!r} is neither true nor false; use 1 or 0.")


def env_int(name: str, default: int, *, at_least: int = 0) -> int:
    text = env(name, str(default))
    try:
        number = int(text)
    except ValueError:
        raise BadEnvironment(f"{name}={text!r} is not a whole number.") from None
    if number < at_least:
        raise BadEnvironment(f"{name}={number} is below {at_least}.")
    return number


def env_list(name: str, default: str = "") -> list[str]:
    """Comma-separated values, blanks dropped."""
    return [part.strip() for part in env(name, default).split(",") if part.strip()]


def env_object(name: str) -> dict[str, Any]:
    """A JSON object; {} when it is not set."""
    text = env(name) or "{}"
    try:
        value = json.loads(text)
    except ValueError as error:
        raise BadEnvironment(f"{name} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadEnvironment(f'{name} is no JSON object; write {{"option": "value"}}.')
    return value
