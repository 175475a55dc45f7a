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
        frame: JSONObject = {
            "type": kind,
            "seq": sum("seq" in frame for frame in self.frames) + 1,
            "timestamp": (START + timedelta(milliseconds=ms)).isoformat(),
            "execution_id": "0190",
        }
        where: JSONObject = {} if node is None else {"node_id": node, "scope": ""}
        self.frames.append({**frame, **where, "data": data})

    def starts(self, ms: int, node: str, name: str, kind: str) -> None:
        self.event("node:started", ms, node, node_type=kind, node_name=name, attempt=1)

    def completes(self, ms: int, node: str, name: str, kind: str, *, took: int, **data: Any) -> None:
        facts = {"node_type": kind, "node_name": name, "attempt": 1, "duration_ms": took, "port": None, "usage": None}
        self.event("node:completed", ms, node, **{**facts, "output": {}, **data})

    def fails(self, ms: int, node: str, name: str, kind: str, *, took: int, message: str, handled: bool) -> None:
        error = {"message": message, "code": "unreachable"}
        facts = {"node_type": kind, "node_name": name, "attempt": 1, "duration_ms": took}
        self.event("node:failed", ms, node, **facts, error=error, handled=handled)

    def tokens(self, node: str, offset: int, text: str) -> None:
        self.frames.append({"type": "node:token", "stream": f"{node}/", "offset": offset, "text": text})

    def fold(self) -> RunProgress:
        run = RunProgress()
        for frame in self.frames:
            run = fold(run, frame)
        return run


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
