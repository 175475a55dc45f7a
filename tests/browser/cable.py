"""The cable between a browser and the site, to be pulled and plugged in again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_PIECE: Final = 64 * 1024  # bytes


class Cable:
    """Passes on what comes; a pulled one takes the connections with it and accepts none."""

    def __init__(self, port: int) -> None:
        self._port = port  # of the site
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._is_pulled = False
        self._lock = threading.Lock()
        self.accepted = 0  # connections so far
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def pull(self) -> None:
        with self._lock:
            self._is_pulled = True
            for end in self._open:
                with suppress(OSError):  # it was closed in this moment
                    end.shutdown(socket.SHUT_RDWR)

    def plug(self) -> None:
        with self._lock:
            self._is_pulled = False

    def cut(self) -> None:
        """Everything that is connected now, once."""
        self.pull()
        self.plug()

    def serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # it was closed
            threading.Thread(target=self._connect, args=[near], daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.pull()

    def _connect(self, near: socket.socket) -> None:
        with near, socket.socket() as far, suppress(OSError):
            far.connect(("127.0.0.1", self._port))
            with self._lock:
                if self._is_pulled:
                    return
                self.accepted += 1
                self._open |= {near, far}
            back = threading.Thread(target=_pass_on, args=[far, near], daemon=True)
            back.start()
            _pass_on(near, far)
            back.join()
            with self._lock:
                self._open -= {near, far}


@contextmanager
def cable_to(port: int) -> Iterator[Cable]:
    cable = Cable(port)
    thread = threading.Thread(target=cable.serve, daemon=True)
    thread.start()
    yield cable
    cable.close()
    thread.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
