"""Attempts that fail and are made again: one that comes right, and one that never does and has an edge for that."""

from __future__ import annotations

from random import Random

from tests.chaos.workloads import Family, Workload, completed, drawn, effect, output

_RETRY = {"attempts": 5, "initialIntervalMs": 100, "factor": 1}


def _draw(rng: Random) -> Workload:
    nodes = {
        "often": effect(rng, "came right", most_ms=150, fails=rng.randint(1, 2)) | {"retry": _RETRY},
        "never": effect(rng, "", most_ms=150, fails=99) | {"retry": {**_RETRY, "attempts": 2}},
        "beside": effect(rng, "beside"),
        "after": effect(rng, "{{often.result}} {{beside.result}} {{never.error.code}}"),
        "out": output("{{after.result}}"),
    }
    drawing = "start -> often -> after -> out, start -> never, never:error -> after, start -> beside -> after"
    return Workload(
        definition=drawn(drawing, nodes=nodes),
        out=["came right beside not_yet"],
        visits=completed("start", "often", "beside", "after", "out") | {"never": "failed"},
    )


FAMILY = Family(name="retries", draw=_draw)
