"""Secrets of a home, each a file that its owner alone can read, at every moment of its life."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def secret_key(home: Path) -> str:
    """The home's own key for signatures, made on first use; whoever asks at the same time gets the same."""
    path = home / "secret-key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        fresh = _fresh(path, secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)  # unlike a rename it fails when somebody was first
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return read_secret(path)


def read_secret(path: Path) -> str:
    """The secret in *path*; empty when there is none."""
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def write_secret(path: Path, secret: str) -> None:
    """Put *secret* in the place of what *path* held."""
    _fresh(path, secret).replace(path)


def _fresh(path: Path, secret: str) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secret + "\n")
    return Path(name)
