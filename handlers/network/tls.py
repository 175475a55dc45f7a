"""How connections are encrypted, for clients that are handed a context."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx2


def tls_context(*, verified: bool = True) -> ssl.SSLContext:
    """One that trusts whom our HTTP client trusts; unless *verified*, anybody."""
    context = httpx2.create_ssl_context()
    if not verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def trusted_certificates() -> str | None:
    """The file of those the system trusts, for clients that read one; None where it keeps them elsewhere."""
    path = ssl.get_default_verify_paths().cafile
    return path if path and Path(path).is_file() else None
