"""A way to a server on which every connection is cut, again and again."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread

# Closing resets the connection: the other side is told nothing, as when a network goes. Source: socket(7), SO_LINGER.
_RESET = struct.pack("ii", 1, 0)


class CuttingProxy:
    """Forwards to *target*, a port of this machine, and cuts whatever goes through every *seconds*."""

    def __init__(self, target: int, seconds: float) -> None:
        self._target, self._seconds = target, seconds
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._through: set[socket.socket] = set()
        self._lock, self._over = Lock(), Event()
        self._threads: list[Thread] = []
        self.port: int = self._listening.getsockname()[1]
        self.connected = Event()
        self.connections = 0
        self.cuts = 0  # that hit a connection

    def serve(self) -> None:
        self._start(self._accept)
        self._start(self._cut)

    def close(self) -> None:
        self._over.set()
        self._listening.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._threads[0].join(5)
        self._listening.close()
        self._reset()
        for thread in self._threads:
            thread.join(5)

    def _start(self, work: Callable[..., None], *args: socket.socket) -> None:
        thread = Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                with self._lock:
                    self._through |= {client, server}
                    self.connections += 1
                for source, sink in ((client, server), (server, client)):
                    self._start(self._pump, source, sink)
                self.connected.set()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        with self._lock:
            self._through -= {source, sink}
        with suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)  # who pumps the other way ends too
        source.close()

    def _cut(self) -> None:
        while not self._over.wait(self._seconds):
            self._reset()

    def _reset(self) -> None:
        with self._lock:
            ends, self._through = self._through, set()
            self.cuts += bool(ends)
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def cut_every(seconds: float, target: int) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(target, seconds)
    proxy.serve()
    try:
        yield proxy
    finally:
        proxy.close()
