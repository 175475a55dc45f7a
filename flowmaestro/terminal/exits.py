"""What a command that follows a run ends with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from executions.core.statuses import RunStatus

EXIT_CODES: Final[Mapping[RunStatus, int]] = {
    RunStatus.COMPLETED: 0,
    RunStatus.FAILED: 1,
    RunStatus.CANCELLED: 3,
    RunStatus.PAUSED: 4,  # it waits for somebody who is not here
}
EXITS: Final = "Exit code: 0 completed, 1 failed, 3 cancelled, 4 paused."
