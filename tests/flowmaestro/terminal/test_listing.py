from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from executions.core.statuses import RunStatus
from flowmaestro.terminal.listing import runs_table, status_text
from tests.flowmaestro.terminal.runs import RUN, summary

NOW = datetime(2030, 1, 1, 12, 2, 6, tzinfo=UTC)


def lines(*runs: dict[str, Any], width: int = 200) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(runs_table(runs, NOW, width=width))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "completed  2 min 06 s ago  4.21 s  Refund v3"),
        (
            {"status": "running", "duration_ms": None},
            "running  2 min 06 s ago  2 min 05 s  Refund v3",  # until now
        ),
        ({"status": "pending", "duration_ms": None, "started_at": None}, "pending  2 min 06 s ago  Refund v3"),
        (
            {"status": "failed", "error": {"message": "503\nBusy", "code": "busy"}, "tags": ["nightly", "eu"]},
            "failed  2 min 06 s ago  4.21 s  Refund v3  503 Busy; nightly, eu",
        ),
        ({"rerun_of": "0190"}, "completed  2 min 06 s ago  4.21 s  Refund v3  took over from 0190"),
        (
            {"parent": {"execution_id": "0180", "node_id": "call", "scope": ""}},
            "completed  2 min 06 s ago  4.21 s  Refund v3  started by 0180",
        ),
    ],
)
def test_run_is_a_line(changes: dict[str, Any], line: str) -> None:
    """What a person looks for in a list: which, how it stands, since when, how long, and why not."""
    _, row = lines(summary(**changes))

    assert re.sub(" {2,}", "  ", row) == f"{RUN}  {line}"


def test_narrow_terminal_cuts_neither_id_nor_status() -> None:
    """They are what the next command is made of; what is said beside is left to `show`."""
    row = lines(summary(status="cancelled", error={"message": "x" * 200, "code": "c"}), width=80)[1]

    assert row.startswith(f"{RUN}  cancelled")


@pytest.mark.parametrize("status", list(RunStatus))
def test_every_status_has_a_colour(status: RunStatus) -> None:
    """A new one must not end the list."""
    assert status_text(status).style
