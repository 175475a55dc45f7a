"""When a child that died is started again, and when that is given up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

QUICK_SECONDS: Final = 10.0  # who lived shorter has a trouble that a restart does not mend
# Before each further start. The first is at once: somebody's kill -9 should cost a blink.
DELAYS: Final = (0.0, 1.0, 2.0, 4.0)


def next_delay(lifetimes: Sequence[float]) -> float | None:
    """Seconds to wait before the next start, given how long each life so far lasted; None: give up.

    Only the latest quick deaths in a row count. Five of them, over at least seven seconds, are a crash loop.
    """
    quick = 0
    for lifetime in reversed(lifetimes):
        if lifetime >= QUICK_SECONDS:
            break
        quick += 1
    if quick > len(DELAYS):
        return None
    return DELAYS[max(quick - 1, 0)]
