"""One run with its nodes, what it waits for, why it failed and what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from executions.core.statuses import NodeStatus
from flowmaestro.terminal.glyphs import AGAIN, MARKS, awaited, duration
from flowmaestro.terminal.listing import ago, lasted, status_text
from handlers import JSONObject

_INDENT: Final = (0, 0, 0, 2)


def dossier(run: dict[str, Any], nodes: Sequence[JSONObject], now: datetime) -> RenderableType:
    """*run* and its *nodes*, those of the top level, as the API gives them."""
    facts = Table.grid(padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, value in _facts(run, now):
        facts.add_row(name, value if isinstance(value, Text) else Text(value))
    parts: list[RenderableType] = [Text(str(run["workflow_name"]), style="bold"), Padding(facts, _INDENT, expand=False)]
    if error := run["error"]:
        parts += [Text(""), *_error(error)]
    if waits := run["waiting_for"]:
        parts += [Text(""), *(_wait(wait, now) for wait in waits)]
    return Group(*parts, Text(""), _nodes(nodes))


def _facts(run: dict[str, Any], now: datetime) -> Iterator[tuple[str, str | Text]]:
    yield "run", run["id"]
    pause = f", {run['pause']['reason']} since {ago(run['pause']['since'], now)}" if run["pause"] else ""
    yield "status", status_text(run["status"]) + Text(pause)
    yield "progress", f"{run['progress']['completed']} of {run['progress']['total']} nodes"
    yield "version", str(run["version"])
    yield "trigger", run["trigger"]
    if run["tags"]:
        yield "tags", ", ".join(run["tags"])
    if run["rerun_of"]:
        begun = f", from {run['rerun_from']}" if run["rerun_from"] else ""
        yield "took over", f"from {run['rerun_of']}{begun}"
    if run["parent"]:
        yield "started by", f"{run['parent']['execution_id']}, {run['parent']['node_id']}"
    yield "created", f"{run['created_at']} ({ago(run['created_at'], now)})"
    if took := lasted(run, now):
        yield "took", took
    if (tokens := run["tokens"])["total_tokens"]:
        unpriced = f", {tokens['unpriced_tokens']:,} without a price" if tokens["unpriced_tokens"] else ""
        yield "tokens", f"{tokens['total_tokens']:,}, {_dollars(tokens['cost_usd'])}{unpriced}"
    for key, value in run["metadata"].items():
        yield key, str(value)


def _error(error: dict[str, Any]) -> Iterator[Text]:
    where = f" in {error['node_id']}" if error.get("node_id") else ""
    yield Text.assemble((f"Error{where} ({error['code']}): ", "bold red"), error["message"])


def _wait(wait: dict[str, Any], now: datetime) -> Text:
    sign, style = MARKS[NodeStatus.WAITING]
    return Text(f"{sign} {wait['path']} {awaited(wait, now)}", style=style)


def _nodes(nodes: Sequence[JSONObject]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("node", no_wrap=True, overflow="ellipsis")
    table.add_column("type", no_wrap=True, style="dim")
    table.add_column("took", no_wrap=True, justify="right")
    table.add_column("", overflow="fold", ratio=1, style="dim")
    for node in nodes:
        table.add_row(*_row(node))
    return table


def _row(node: dict[str, Any]) -> tuple[Text, ...]:
    sign, style = AGAIN if node["due_at"] else MARKS[NodeStatus(node["status"])]
    took = "" if node["duration_ms"] is None else duration(node["duration_ms"])
    name = node["node_id"] if node["name"] == node["node_id"] else f"{node['name']} ({node['node_id']})"
    return Text(sign, style=style), Text(name), Text(node["type"]), Text(took), Text(", ".join(_remarks(node)))


def _remarks(node: dict[str, Any]) -> Iterator[str]:
    if node["kept"]:
        yield "kept from the run before"
    if node["port"]:
        yield f"→ {node['port']}"
    if node["attempts"]:
        yield f"attempt {node['attempt']}"
    if node["usage"]:
        cost = node["usage"]["cost_usd"]
        yield f"{node['usage']['total_tokens']:,} tokens{'' if cost is None else f', {_dollars(cost)}'}"
    if node["error"]:
        yield f"{node['error']['message']}{' — handled by its error edge' if node['handled'] else ''}"


def _dollars(amount: float) -> str:
    """With as many places as a cheap call needs."""
    return f"${amount:.2f}" if amount >= 1 or not amount else f"${amount:.6f}".rstrip("0")
