"""What has to run before the demo can begin: the stack, with the stand-in beside it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from flowmaestro.embedded.processes import wait_until
from flowmaestro.supervisor import StackState, SupervisorError, read
from flowmaestro.supervisor.stack import UpOptions
from flowmaestro.supervisor.up import detach

STAYS_SECONDS: Final = 900.0  # time to look around; a demo that is forgotten does not run for ever
_WISH_SECONDS: Final = 60.0  # the workers are restarted, each after what it runs


def ensure_stage(home: Path, *, say: Callable[[str], None]) -> StackState:
    """The stack of *home* with a stand-in, started when there is none. Raises SupervisorError, EmbeddedError."""
    state = read(home)
    if state is None:
        say("Starting FlowMaestro in the background; the first time it makes its databases …")
        return detach(home, UpOptions(with_standin=True, stop_after_seconds=STAYS_SECONDS))
    if not state.is_ready:
        say(f"Waiting for FlowMaestro at {state.url} …")
    if state.is_ready and state.standin_url is None:
        say(f"FlowMaestro is up at {state.url} without the demo's stand-in: it is added, and the workers start again …")
        os.kill(state.pid, signal.SIGUSR1)

    def is_set() -> bool:
        now = read(home)
        return now is not None and now.is_ready and now.standin_url is not None

    if not wait_until(is_set, seconds=_WISH_SECONDS):
        raise SupervisorError(f"FlowMaestro at {state.url} is not ready for the demo. Stop it with: flowmaestro down")
    found = read(home)
    if found is None:
        raise SupervisorError("FlowMaestro has just been stopped.")
    return found
