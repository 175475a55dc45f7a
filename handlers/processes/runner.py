"""One process with all that it starts, from its begin to its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from threading import Lock
from time import monotonic
from typing import Final

from handlers.ports import Lent
from handlers.processes.bounds import Bounds, bounded

# Our own environment is not handed on: keys and passwords stand in it.
ENVIRONMENT: Final[Mapping[str, str]] = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
_CHUNK_BYTES: Final = 65_536
_LOOK_SECONDS: Final = 0.05  # how often it is asked whether the process has ended, while somebody holds its pipes open
_DRAIN_SECONDS: Final = 1.0  # for what is still in the pipes when it has ended


class Fate(Enum):
    """Why a process is over."""

    EXITED = "exited"  # by itself or by the kernel: `Finished.status`
    OVERDUE = "overdue"  # its time was up
    FLOODED = "flooded"  # it replied with more than it may


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What is left of a process."""

    fate: Fate
    status: int  # what it exited with; -9 when it was killed by signal 9
    stdout: bytes
    stderr: bytes
    reply: bytes  # what it wrote to its standard input
    is_cut: bool  # something of stdout or stderr is missing
    seconds: float

    def ended_by(self, number: signal.Signals) -> bool:
        """Whether that signal ended it, or what it ran in its turn: shells exit with 128 and the signal's number."""
        return self.status in {-number, 128 + number}


def run(
    command: Sequence[str],
    *,
    bounds: Bounds,
    lent: Lent,
    stdin: bytes = b"",
    env: Mapping[str, str] = ENVIRONMENT,
    cwd: Path | None = None,
    user: int | None = None,
    pass_fds: Sequence[int] = (),
) -> Finished:
    """Run *command* to its end, as *user* if we may. Standard input is a socket: what is written to it is the reply.

    All of its process group is killed as soon as nobody wants the result, and when the process itself has ended.
    Raises what `lent.check_cancelled` does. A program that is not there has status 127, as with shells.
    """
    lent.check_cancelled()
    begun = monotonic()
    deadline = begun + min(bounds.seconds, lent.remaining())
    with ExitStack() as stack:
        ours, theirs = socket.socketpair()
        stack.callback(ours.close)
        with theirs:
            process = subprocess.Popen(  # noqa: S603 -- the caller's, and no shell's
                bounded(command, bounds),
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                pass_fds=pass_fds,
            )
        tree = _Tree(process)
        stack.callback(tree.bury)
        lent.on_cancel(tree.kill)
        talk = _Talk(process, ours, stdin, bounds)
        stack.callback(talk.close)
        fate = _attend(tree, talk, deadline)
        status = tree.bury()
    lent.check_cancelled()
    return Finished(
        fate=fate,
        status=status,
        stdout=bytes(talk.stdout),
        stderr=bytes(talk.stderr),
        reply=bytes(talk.reply),
        is_cut=talk.is_cut,
        seconds=monotonic() - begun,
    )


def _attend(tree: _Tree, talk: _Talk, deadline: float) -> Fate:
    """Talk until the process has ended or has to be ended."""
    fate = Fate.EXITED
    while not tree.has_ended():
        left = deadline - monotonic()
        if left <= 0 or talk.is_flooded:
            fate = Fate.FLOODED if talk.is_flooded else Fate.OVERDUE
            break
        talk.go_on(min(left, _LOOK_SECONDS if talk.is_open else 0.001))
    tree.kill()  # those it leaves behind hold the pipes open
    deadline = monotonic() + _DRAIN_SECONDS
    while talk.is_open and not talk.is_flooded and monotonic() < deadline:
        talk.go_on(_LOOK_SECONDS)
    return Fate.FLOODED if talk.is_flooded else fate


class _Tree:
    """A process that leads its group; `kill` may be called from any thread, at any time."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._lock = Lock()  # the number of a process that has been waited for may be another's

    def has_ended(self) -> bool:
        """Without waiting for it, so that its number remains its own."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def kill(self) -> None:
        with self._lock:
            if self._process.returncode is None:
                with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, of one that has ended
                    os.killpg(self._process.pid, signal.SIGKILL)

    def bury(self) -> int:
        """Its status, once nothing is left of its group."""
        self.kill()
        with self._lock:
            return self._process.wait()


class _Talk:
    """The three ends of a process's standard streams, none of which may make us wait or grow."""

    def __init__(self, process: subprocess.Popen[bytes], sock: socket.socket, stdin: bytes, bounds: Bounds) -> None:
        assert process.stdout and process.stderr  # noqa: S101, PT018 -- for the type checker: both are pipes
        self.stdout, self.stderr, self.reply = bytearray(), bytearray(), bytearray()
        self.is_cut = self.is_flooded = False
        self._bounds = bounds
        self._sock = sock
        self._unsent = memoryview(stdin)
        self._pipes = (process.stdout, process.stderr)
        self._selector = DefaultSelector()
        sock.setblocking(False)
        self._selector.register(sock, EVENT_READ | EVENT_WRITE, self.reply)
        for pipe, kept in zip(self._pipes, (self.stdout, self.stderr), strict=True):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, EVENT_READ, kept)

    @property
    def is_open(self) -> bool:
        return bool(self._selector.get_map())

    def go_on(self, seconds: float) -> None:
        """Write and read what can be; wait for it no longer than *seconds*."""
        for key, ready in self._selector.select(seconds):
            if ready & EVENT_WRITE:
                self._send()
            if ready & EVENT_READ:
                self._receive(key.fd, key.data)

    def close(self) -> None:
        self._selector.close()
        for pipe in self._pipes:
            pipe.close()

    def _send(self) -> None:
        try:
            sent = self._sock.send(self._unsent[:_CHUNK_BYTES])
        except BlockingIOError:
            return
        except OSError:  # it does not read to the end
            sent = len(self._unsent)
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)
            self._selector.modify(self._sock, EVENT_READ, self.reply)

    def _receive(self, descriptor: int, kept: bytearray) -> None:
        try:
            chunk = os.read(descriptor, _CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:  # a socket whose other end is gone with something unread
            chunk = b""
        if not chunk:
            self._selector.unregister(descriptor)
            return
        most = self._bounds.reply_bytes if kept is self.reply else self._bounds.log_bytes
        if kept is self.reply:
            self.is_flooded = self.is_flooded or len(kept) + len(chunk) > most
        elif len(kept) + len(chunk) > most:
            self.is_cut = True
        kept += chunk[: most - len(kept)]
