"""Workers that are armed with a fault while they run: starting one for each would take longer than the visits."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings

from executions import faults

FOLDER: Final = "CHAOS_ARMING"  # the variable that names it; not set: nobody listens
_POLL: Final = 0.02  # seconds


def arm(folder: Path, pid: int, fault: faults.Fault, kind: faults.Kind, time: int) -> None:
    """Have the worker *pid* come by *fault*, at so many-th time from now."""
    place = folder / str(pid)
    fresh = place.with_suffix(".new")
    fresh.write_text(f"{fault}:{kind}:{time}", encoding="utf-8")
    fresh.rename(place)


def listen(folder: Path) -> None:
    """Arm this process with whatever it is told to, from now on."""
    threading.Thread(target=_listen, args=(folder / str(os.getpid()),), name="arming", daemon=True).start()


def _listen(place: Path) -> None:
    while True:
        if place.exists():
            faults.arm(place.read_text(encoding="utf-8"), stall=settings.FLOWMAESTRO_LEASE + timedelta(seconds=2))
            place.unlink()
        threading.Event().wait(_POLL)
