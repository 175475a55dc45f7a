"""What is run before the browser's eyes."""

from __future__ import annotations

from typing import Any

from tests.graphs import draw


def drawn(name: str, drawing: str, **options: Any) -> dict[str, Any]:
    return draw(drawing, default="test.sleep", **options) | {"name": name}


def line() -> dict[str, Any]:
    """Three nodes, one after the other, slow enough to be seen at work."""
    slow = {"config": {"ms": 500}}
    return drawn("Line", "start -> a -> b -> c", nodes={"a": slow, "b": slow, "c": slow})


def story() -> dict[str, Any]:
    """A model that writes, beside a loop."""
    reply = {"name": "Draft the reply", "config": {"provider": "openai", "model": "m", "prompt": "Answer Marta."}}
    return drawn(
        "Story",
        "start -> reply -> out, start -> loop, loop:body -> a, loop -> end",
        types={"reply": "llm"},
        nodes={
            "reply": reply,
            "loop": {"config": {"count": 12}},
            "a": {"config": {"ms": 20}},
            "out": {"config": {"value": "{{reply.text}}"}},
        },
    )


def asking() -> dict[str, Any]:
    """A question to people between two nodes."""
    ask = {
        "name": "Manager approval",
        "config": {
            "prompt": "How many may go back?",
            "inputType": "number",
            "variableName": "n",
            "validation": {"max": 10},
        },
    }
    out = {"config": {"outputName": "n", "value": "{{ask.n}}", "format": "json"}}
    return drawn("Refund", "start -> a -> ask -> b -> out", nodes={"ask": ask, "out": out})


def failing(url: str) -> dict[str, Any]:
    """It fails in its third node while nobody is well at *url*."""
    fetch = {"name": "Ask the supplier", "config": {"url": url, "failOnStatus": True}, "retry": {"attempts": 1}}
    return drawn("Restock", "start -> a -> fetch -> b -> out", types={"fetch": "http"}, nodes={"fetch": fetch})


def handled() -> dict[str, Any]:
    """A node fails, and the drawing says what then."""
    return drawn("Handled", "start -> a -> stock -> send, stock:error -> ask_warehouse", types={"stock": "test.fail"})


def long() -> dict[str, Any]:
    """Time enough to do something to it."""
    return drawn("Long", "start -> a -> b -> c", nodes={"a": {"config": {"ms": 20_000}}})


def paced(ms: int = 1000) -> dict[str, Any]:
    """A line whose nodes take so long each."""
    return drawn("Paced", "start -> a -> b -> c -> d", nodes={node: {"config": {"ms": ms}} for node in "abcd"})


def many(count: int = 1000) -> dict[str, Any]:
    """A loop of so many iterations, once somebody has said that it may begin."""
    nodes = {"loop": {"config": {"count": count}}}
    return draw("start -> ask -> loop, loop:body -> a -> b, loop -> end", default="test.echo", nodes=nodes) | {
        "name": "Many"
    }


def big(columns: int = 25, rows: int = 20) -> dict[str, Any]:
    """Rows of nodes side by side, all of one start."""
    chains = (" -> ".join(["start", *(f"n{row}_{column}" for column in range(columns))]) for row in range(rows))
    return draw(", ".join(chains), default="test.echo") | {"name": "Big"}
