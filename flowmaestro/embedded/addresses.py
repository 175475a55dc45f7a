"""Where the embedded servers of a home folder listen: functions of the path, no server needed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote, urlsplit

DATABASE = "flowmaestro"
PASSWORDLESS_USER = "postgres"  # the sockets lie in a folder that only we may enter


def socket_dir(home: Path) -> Path:
    """Short on purpose: a unix socket's path ends at 107 bytes, and a home may be deeper than that."""
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:10]
    return Path(tempfile.gettempdir()) / f"flowmaestro-{os.getuid()}-{digest}"


def database_url(home: Path) -> str:
    return f"postgresql://{PASSWORDLESS_USER}@{quote(str(socket_dir(home)), safe='')}/{DATABASE}"


def redis_url(home: Path) -> str:
    return f"unix://{socket_dir(home) / 'redis.sock'}?db=0"


def celery_url(url: str) -> str:
    """The same Redis as Celery spells it: a unix socket has a scheme of its own there."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    database = parts.query.removeprefix("db=") or "0"
    return f"redis+socket://{parts.path}?virtual_host={database}"
