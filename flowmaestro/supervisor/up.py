"""Bring the whole stack up, here or in the background, and take it down again."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NoReturn

from django.conf import settings

from flowmaestro.bootstrap import bootstrap, migrate
from flowmaestro.embedded import services
from flowmaestro.embedded.places import log_file
from flowmaestro.embedded.processes import end, tail, wait_until
from flowmaestro.supervisor.errors import SupervisorError
from flowmaestro.supervisor.ports import listen
from flowmaestro.supervisor.specs import WORKER_DRAIN_SECONDS
from flowmaestro.supervisor.stack import Stack, UpOptions
from flowmaestro.supervisor.state import StackState, claim, is_claimed, read

_DETACH_SECONDS: Final = 300.0  # a first initdb and every migration on a slow machine
_DOWN_SECONDS: Final = WORKER_DRAIN_SECONDS + 30  # the drain, and what ends after it


def serve(
    home: Path, options: UpOptions, *, on_ready: Callable[[StackState], None], say: Callable[[str], None]
) -> None:
    """Serve until a signal ends us. *on_ready* is called once, *say* with what the person at the terminal should know.

    Raises EmbeddedError or SupervisorError when something does not start or does not stay up. In every case nothing
    of ours is left running.
    """
    claimed = claim(home)
    if claimed is None:
        raise SupervisorError(f"Another process is starting FlowMaestro from {home}.")
    # Before children exist, a signal is as good as Ctrl-C; the supervisor sets its own.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with listen(options.port) as listener:
            stack = Stack(home, options, claimed, listener, say=say)
            with services.start(
                home,
                with_postgres=settings.FLOWMAESTRO_EMBEDDED_POSTGRES,
                with_redis=settings.FLOWMAESTRO_EMBEDDED_REDIS,
            ):
                migrate()
                bootstrap(home)
                stack.run(on_ready)
    except KeyboardInterrupt:
        pass  # asked to end while starting
    finally:
        claimed.release()


def detach(home: Path, options: UpOptions) -> StackState:
    """Serve from a process of its own that outlives us; return when it is ready. Raises SupervisorError."""
    path = log_file(home, "up")
    sys.stdout.flush()
    sys.stderr.flush()
    # A fork, since all that it needs is imported: starting Python again would double the time.
    pid = os.fork()
    if pid == 0:
        _serve_in_background(home, options, path)
    give_up_at = time.monotonic() + _DETACH_SECONDS
    has_ended = False
    while time.monotonic() < give_up_at:
        state = read(home)
        if state is not None and state.is_ready:
            return state
        has_ended = has_ended or os.waitpid(pid, os.WNOHANG) != (0, 0)
        if has_ended and not is_claimed(home):  # while it is claimed, somebody else was faster and is starting it
            raise SupervisorError(f"FlowMaestro did not start. {path} ends:\n{tail(path, lines=25)}")
        time.sleep(0.1)
    raise SupervisorError(f"FlowMaestro is not ready after {_DETACH_SECONDS:.0f} seconds. {path} ends:\n{tail(path)}")


def _serve_in_background(home: Path, options: UpOptions, path: Path) -> NoReturn:
    """Leave our caller's terminal, session and open files, serve, and end without returning into its code."""
    code = 1
    try:
        os.setsid()
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        # Whoever captures the output of our caller waits until every copy of it is closed.
        os.dup2(log, 1)
        os.dup2(log, 2)
        for descriptor in map(int, os.listdir("/dev/fd")):  # noqa: PTH208 -- they are numbers
            if descriptor > 2:  # noqa: PLR2004 -- standard error
                with suppress(OSError):  # the one that lists them
                    os.close(descriptor)
        serve(home, options, on_ready=lambda state: _log(f"Up at {state.url}"), say=_log)
        code = 0
    except Exception as error:  # noqa: BLE001 -- the log is where anybody will look for it
        _log(f"{datetime.now(UTC):%F %T} {type(error).__name__}: {error}")
    finally:
        os._exit(code)


def _log(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def down(home: Path) -> bool:
    """End what runs from *home*; whether anything did. Raises SupervisorError when it does not end."""
    state = read(home)
    if state is None:
        return False
    os.kill(state.pid, signal.SIGTERM)
    if wait_until(lambda: not is_claimed(home), seconds=_DOWN_SECONDS):
        return True
    if not end(state.pid, [(signal.SIGKILL, 5.0)]):
        raise SupervisorError(f"Process {state.pid} does not end. Look at it, then try again.")
    return True
