"""Workflows drawn by chance, and always the same by the same seed."""

from __future__ import annotations

from random import Random
from typing import Any

EFFECTS = ("test.count", "test.cheap")


def random_drawing(seed: int, *, nodes: int = 12, ms: float = 0) -> dict[str, Any]:
    """Arguments of `tests.executions.runs.begin`: an acyclic plan of pure nodes, effects, conditions and failures.

    Every failure is handled, so that who is faster cannot matter. Effects take up to *ms* milliseconds.
    """
    chance = Random(seed)
    kinds = {"start": "trigger"}
    configs: dict[str, Any] = {}
    chains: list[str] = []
    for place in range(1, nodes):
        node = f"n{place}"
        kinds[node] = chance.choice(["test.echo", *EFFECTS, *EFFECTS, "test.fail", "conditional", "setVariable"])
        known = list(kinds)[:-1]
        parents = sorted(chance.sample(known, min(len(known), chance.randint(1, 3))), key=known.index)
        chains += [f"{parent}{_handle(kinds[parent], chance)} -> {node}" for parent in parents]
        configs[node] = _config(kinds[node], parents, chance, ms)
    failing = {node: {"onError": {"strategy": "continue"}} for node, kind in kinds.items() if kind == "test.fail"}
    settings = {"maxConcurrentNodes": chance.choice([1, 2, 3, 100])}
    return {
        "drawing": ", ".join(chains),
        "types": kinds,
        "nodes": {node: {"config": config, **failing.get(node, {})} for node, config in configs.items()},
        "variables": {"total": 0},
        "settings": settings,
    }


def _handle(kind: str, chance: Random) -> str:
    match kind:
        case "conditional":
            return chance.choice([":true", ":false", ""])
        case "test.fail":
            return chance.choice(["", ":error"])
    return ""


def _config(kind: str, parents: list[str], chance: Random, ms: float) -> dict[str, Any]:
    match kind:
        case "conditional":
            return {"conditionType": "expression", "expression": chance.choice(["true", "false"])}
        case "setVariable":
            return {"name": "total", "increment": chance.randint(1, 9)}
        case "test.fail":
            return {"message": "as drawn"}
    value = "+".join(f"{{{{{parent}.result}}}}" for parent in parents)
    return {"value": value, "ms": chance.random() * ms} if kind in EFFECTS else {"value": value}
