"""The port the web process serves: bound by the supervisor and handed down.

Nobody can take it between the choice and the use, and while the web process is started again its callers wait in the
queue instead of being refused.
"""

from __future__ import annotations

import socket
from typing import Final

from flowmaestro.supervisor.errors import SupervisorError

HOST: Final = "127.0.0.1"  # this machine only: whoever wants more puts a proxy in front
DEFAULT_PORT: Final = 8000
_TRIES: Final = 100


def listen(port: int | None) -> socket.socket:
    """A listening socket on *port*, or on the first free one from the default. Raises SupervisorError."""
    for candidate in range(DEFAULT_PORT, DEFAULT_PORT + _TRIES) if port is None else (port,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # Connections of the one before that still linger do not count; a server that listens does.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, candidate))
            listener.listen(128)
        except OSError as error:
            listener.close()
            reason = error.strerror
        else:
            return listener
    asked = f"Port {port}" if port is not None else f"Every port from {DEFAULT_PORT} on"
    raise SupervisorError(f"{asked}: {reason}. Name another one with --port.")


def free_port() -> int:
    """A port that was free a moment ago, for a child that binds it itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
