"""The frames of one run, as a server would send them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flowmaestro.terminal import RunProgress, fold
from handlers import JSONObject

START = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)


class Script:
    """Numbers events and keeps the time; *ms* is counted from the run's start."""

    def __init__(self) -> None:
        self.frames: list[JSONObject] = []

    def event(self, kind: str, ms: int, node: str | None = None, **data: Any) -> None:
        """*node* is the path of a visit: `each[3]/ask`."""
        frame: JSONObject = {
            "type": kind,
            "seq": sum("seq" in frame for frame in self.frames) + 1,
            "timestamp": (START + timedelta(milliseconds=ms)).isoformat(),
            "execution_id": "0190",
        }
        scope, _, node_id = (node or "").rpartition("/")
        where: JSONObject = {} if node is None else {"node_id": node_id, "scope": scope}
        self.frames.append({**frame, **where, "data": data})

    def starts(self, ms: int, node: str, name: str, kind: str, *, attempt: int = 1, total: int | None = None) -> None:
        self.event("node:started", ms, node, node_type=kind, node_name=name, attempt=attempt, total=total)

    def retries(self, ms: int, node: str, name: str, kind: str, *, took: int, attempt: int, wait: int) -> None:
        facts = {"node_type": kind, "node_name": name, "attempt": attempt, "attempts": 3, "duration_ms": took}
        due_at = (START + timedelta(milliseconds=ms + wait)).isoformat()
        self.event("node:retrying", ms, node, **facts, error={"message": "503 Busy", "code": "busy"}, due_at=due_at)

    def skips(self, ms: int, node: str, name: str, kind: str) -> None:
        self.event("node:skipped", ms, node, node_type=kind, node_name=name, reason="dead_path")

    def completes(self, ms: int, node: str, name: str, kind: str, *, took: int, **data: Any) -> None:
        facts = {"node_type": kind, "node_name": name, "attempt": 1, "duration_ms": took, "port": None, "usage": None}
        self.event("node:completed", ms, node, **{**facts, "output": {}, **data})

    def fails(self, ms: int, node: str, name: str, kind: str, *, took: int, message: str, handled: bool) -> None:
        error = {"message": message, "code": "unreachable"}
        facts = {"node_type": kind, "node_name": name, "attempt": 1, "duration_ms": took}
        self.event("node:failed", ms, node, **facts, error=error, handled=handled)

    def waits(self, ms: int, node: str, name: str, kind: str, **waitpoint: Any) -> None:
        self.starts(ms, node, name, kind)
        blank = dict.fromkeys(("prompt", "schema", "votes", "event", "wakes_at", "expires_at"))
        told = {"id": node, "kind": "human", "form": {}, "since": _at(ms), **blank, **waitpoint}
        self.event("node:waiting", ms, node, node_type=kind, node_name=name, waitpoint=told)

    def tokens(self, node: str, offset: int, text: str) -> None:
        scope, _, node_id = node.rpartition("/")
        self.frames.append({"type": "node:token", "stream": f"{node_id}/{scope}", "offset": offset, "text": text})

    def fold(self) -> RunProgress:
        run = RunProgress()
        for frame in self.frames:
            run = fold(run, frame)
        return run


def _at(ms: int) -> str:
    return (START + timedelta(milliseconds=ms)).isoformat()


def paused_run() -> Script:
    """A node that asks beside one that works; then nothing moves any more."""
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="Refund", total_nodes=3)
    script.waits(1, "ask", "Manager approval", "humanReview", prompt="Pay\nit back?", expires_at=_at(3_600_000))
    script.starts(2, "stock", "Look at the stock", "http")
    script.completes(242, "stock", "Look at the stock", "http", took=240)
    script.event("execution:paused", 243, reason="waiting")
    return script


def resumed_run() -> Script:
    """The same, answered after two minutes."""
    script = paused_run()
    script.event("execution:resumed", 120_243, paused_ms=120_000)
    script.completes(120_244, "ask", "Manager approval", "humanReview", took=120_243)
    script.event("execution:completed", 120_300, duration_ms=120_300, outputs={})
    return script


def order_run() -> Script:
    """A few nodes in line, two side by side of which one streams and one fails, one skipped, the end."""
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="Order triage", total_nodes=6)
    script.starts(1, "order", "Order in", "trigger")
    script.completes(2, "order", "Order in", "trigger", took=1)
    script.starts(2, "large", "Large order?", "conditional")
    script.completes(4, "large", "Large order?", "conditional", took=2, port="true")
    script.event("node:skipped", 4, "small", node_type="setVariable", node_name="Standard care", reason="dead_path")
    script.starts(5, "reply", "Draft the reply", "llm")
    script.starts(5, "stock", "Look at the stock", "http")
    script.tokens("reply", 0, "Dear Ms Nowak, thank you for ")
    script.tokens("reply", 29, "your order. We are looking into it right now and will be ba")
    script.fails(240, "stock", "Look at the stock", "http", took=235, message="Connection refused", handled=True)
    script.tokens("reply", 88, "ck with you\nwithin the day.")
    usage = {"model": "m", "provider": "p", "prompt_tokens": 100, "completion_tokens": 32, "total_tokens": 132}
    script.completes(1905, "reply", "Draft the reply", "llm", took=1900, usage=usage)
    script.event("execution:completed", 1910, duration_ms=1910, outputs={"reply": "Dear Ms Nowak, …"})
    return script


def loop_run(rounds: int, *, total: int | None, ends: bool = True) -> Script:
    """A loop of two nodes, so many times; each first attempt of the second iteration's call fails."""
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="Stock watch", total_nodes=4)
    script.starts(1, "pages", "Page after page", "loop", total=total)
    for index in range(rounds):
        ms, page, note = 10 + 10 * index, f"pages[{index}]/page", f"pages[{index}]/note"
        script.starts(ms, page, "Read a page", "http")
        if index == 1:
            script.retries(ms + 2, page, "Read a page", "http", took=2, attempt=1, wait=2500)
            script.starts(ms + 3, page, "Read a page", "http", attempt=2)
        script.completes(ms + 5, page, "Read a page", "http", took=5)
        script.starts(ms + 5, note, "Note it", "setVariable")
        script.completes(ms + 6, note, "Note it", "setVariable", took=1)
    if ends:
        ms = 10 * rounds + 20
        script.completes(ms, "pages", "Page after page", "loop", took=ms - 1)
        script.event("execution:completed", ms + 1, duration_ms=ms + 1, outputs={})
    return script


def parallel_run(branches: int, *, at_work: int) -> Script:
    """A parallel whose last branches are at work; the first failed, which nothing took, the second streams."""
    script = Script()
    script.event("execution:started", 0, workflow_id="1", workflow_name="Triage", total_nodes=3)
    script.starts(1, "each", "Each order", "parallel", total=40)
    for index in range(branches):
        script.starts(2 + index, f"each[{index}]/triage", "Triage it", "llm")
    for index in range(branches - at_work):
        path, ms = f"each[{index}]/triage", 100 + index
        if index == 0:
            script.fails(ms, path, "Triage it", "llm", took=98, message="Out of luck", handled=False)
        else:
            script.completes(ms, path, "Triage it", "llm", took=98)
    return script
