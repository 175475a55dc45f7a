from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from flowmaestro.terminal.dossier import dossier
from tests.flowmaestro.terminal.runs import RUN, node, whole

NOW = datetime(2030, 1, 1, 12, 1, tzinfo=UTC)


def lines(run: dict[str, Any], *nodes: dict[str, Any]) -> list[str]:
    console = Console(file=io.StringIO(), width=120)
    console.print(dossier(run, nodes, NOW))
    return [line.rstrip() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_run_that_failed_says_where_and_why() -> None:
    """With what was tried, what was kept, and what another way was found for."""
    error = {"message": "503 Busy", "code": "http_503", "node_id": "stock"}
    run = whole(status="failed", error=error, rerun_of="0190", rerun_from="stock", tags=["nightly"])
    told = lines(
        run,
        node("order", kept=True, type="input"),
        node("if", name="Large?", type="conditional", port="true"),
        node("mail", status="failed", handled=True, error={"message": "No such address", "code": "mail"}),
        node("stock", status="failed", error=error, attempt=3, attempts=[{}, {}]),
        node("end", status="skipped", duration_ms=None),
    )

    assert told == [
        "Refund",
        f"  run        {RUN}",
        "  status     failed",
        "  progress   2 of 2 nodes",
        "  version    3",
        "  trigger    api",
        "  tags       nightly",
        "  took over  from 0190, from stock",
        "  created    2030-01-01T12:00:00Z (1 min 00 s ago)",
        "  took       4.21 s",
        "",
        "Error in stock (http_503): 503 Busy",
        "",
        "   node         type          took",
        "✓  order        input        12 ms  kept from the run before",
        "✓  Large? (if)  conditional  12 ms  → true",
        "✗  mail         http         12 ms  No such address — handled by its error edge",
        "✗  stock        http         12 ms  attempt 3, 503 Busy",
        "╌  end          http",
    ]


def test_run_that_waits_says_for_what() -> None:
    """And since when it is paused."""
    blank = dict.fromkeys(("schema", "votes", "event", "wakes_at", "expires_at"))
    wait = {**blank, "kind": "human", "prompt": "Ship it?", "path": "each[3]/ask"}
    pause = {"reason": "waiting", "since": "2030-01-01T12:00:30Z"}
    told = lines(whole(status="paused", duration_ms=None, pause=pause, waiting_for=[wait]))

    assert "  status    paused, waiting since 30.00 s ago" in told
    assert "  took      59.00 s" in told
    assert "‖ each[3]/ask waits for an answer: Ship it?" in told


def test_run_that_asked_models_says_what_that_cost() -> None:
    """In all and by node; cheap calls are not free, and unknown prices not zero."""
    usage = {"total_tokens": 1200, "cost_usd": 0.000342}
    told = lines(
        whole(tokens={"total_tokens": 3400, "cost_usd": 0.000342, "unpriced_tokens": 2200}, metadata={"step": "mail"}),
        node("reply", type="llm", usage=usage),
        node("sum", type="llm", usage={"total_tokens": 2200, "cost_usd": None}),
    )

    assert "  tokens    3,400, $0.000342, 2,200 without a price" in told
    assert "  step      mail" in told
    assert [line.split("12 ms  ")[1] for line in told[-2:]] == ["1,200 tokens, $0.000342", "2,200 tokens"]
