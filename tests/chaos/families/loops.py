"""Iterations one after the other, some with a parallel in each."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.chaos.workloads import Family, Workload, completed, drawn, effect, output


def _draw(rng: Random) -> Workload:
    count, width = rng.randint(2, 4), rng.choice([0, 2, 3])  # no width: no parallel
    nodes = {
        "loop": {"config": {"loopType": "count", "count": count}},
        "a": effect(rng, "{{loop.index}}", most_ms=200),
        "b": effect(rng, "{{a.result}} of {{loop.total}}", most_ms=200),
        "par": {"config": {"mode": "count", "count": width}},
        "c": effect(rng, "{{a.result}}.{{par.index}}", most_ms=200),
        "out": output("{{loop.results}}"),
    }
    results: list[dict[str, Any]] = []
    visits = completed("start", "loop", "out")
    for index in range(count):
        visits |= completed(f"loop[{index}]/a", f"loop[{index}]/b")
        results.append({"a": {"result": index}, "b": {"result": f"{index} of {count}"}})
        if width:
            inner = [{"c": {"result": f"{index}.{branch}"}} for branch in range(width)]
            results[-1]["par"] = {"branches": width, "results": inner}
            visits |= completed(f"loop[{index}]/par", *(f"loop[{index}]/par[{branch}]/c" for branch in range(width)))
    lines = ["start -> loop -> out", "loop:body -> a -> b"] + (["a -> par", "par:body -> c"] if width else [])
    return Workload(
        definition=drawn(", ".join(lines), types={"loop": "loop", "par": "parallel"}, nodes=nodes),
        out=[results],
        visits=visits,
    )


FAMILY = Family(name="loops", draw=_draw)
