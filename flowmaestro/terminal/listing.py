"""Runs as a table: a line each, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from executions.core.statuses import RunStatus
from flowmaestro.terminal.glyphs import ENDINGS, duration
from handlers import JSONObject

_WIDE: Final = 120  # columns of a terminal that has room for remarks


def runs_table(runs: Iterable[JSONObject], now: datetime, *, width: int) -> Table:
    """*runs* as the API lists them, on *width* columns: a run's id and status are never cut."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("run", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("created", no_wrap=True, justify="right")
    table.add_column("took", no_wrap=True, justify="right")
    table.add_column("workflow")
    is_wide = width >= _WIDE
    if is_wide:
        table.add_column("")
    for run in runs:
        cells = _cells(run, now)
        table.add_row(*(cells if is_wide else cells[:-1]))
    return table


def status_text(status: str) -> Text:
    return Text(status, style=ENDINGS[RunStatus(status)][1])


def ago(moment: str, now: datetime) -> str:
    """`4 min 05 s ago`"""
    return f"{duration(max((now - datetime.fromisoformat(moment)).total_seconds(), 0) * 1000)} ago"


def lasted(run: JSONObject, now: datetime) -> str:
    """How long it took, or has taken by *now*; empty before it began."""
    if run["duration_ms"] is not None:
        return duration(float(str(run["duration_ms"])))
    if run["started_at"] is None:
        return ""
    return duration(max((now - datetime.fromisoformat(str(run["started_at"]))).total_seconds(), 0) * 1000)


def _cells(run: JSONObject, now: datetime) -> tuple[Text, ...]:
    workflow = f"{run['workflow_name']} v{run['version']}"
    created = ago(str(run["created_at"]), now)
    more = Text("; ".join(_remarks(run)), style="dim")
    return (
        Text(str(run["id"])),
        status_text(str(run["status"])),
        Text(created),
        Text(lasted(run, now)),
        Text(workflow),
        more,
    )


def _remarks(run: dict[str, Any]) -> Iterable[str]:
    if run["error"]:
        yield " ".join(run["error"]["message"].split())
    if run["tags"]:
        yield ", ".join(run["tags"])
    if run["rerun_of"]:
        yield f"took over from {run['rerun_of']}"
    if run["parent"]:
        yield f"started by {run['parent']['execution_id']}"
