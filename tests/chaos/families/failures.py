"""A body that fails and is taken care of, and runs that are to fail in the end."""

from __future__ import annotations

from random import Random

from executions.core import RunStatus
from tests.chaos.workloads import Family, Workload, completed, drawn, effect, output


def _draw(rng: Random) -> Workload:
    is_to_fail = rng.random() < 0.5
    nodes = {
        "loop": {"config": {"loopType": "count", "count": 3}},
        "a": effect(rng, "{{loop.index}}", most_ms=200),
        "choice": {"config": {"expression": "loop.index == 1"}},
        "bad": {"config": {"message": "it is the second"}},
        "taken": effect(rng, "{{loop.error.message}}"),
        "last": effect(rng, "{{taken.result}}"),
        "out": output("{{last.result}}"),
    }
    end = "last -> broken -> out" if is_to_fail else "last -> out"
    visits = completed("start", "loop[0]/a", "loop[0]/choice", "loop[1]/a", "loop[1]/choice", "taken", "last")
    visits |= {"loop": "failed", "loop[0]/bad": "skipped", "loop[1]/bad": "failed"}
    return Workload(
        definition=drawn(
            f"start -> loop, loop:body -> a -> choice, choice:true -> bad, loop:error -> taken -> {end}",
            types={"loop": "loop", "choice": "conditional", "bad": "test.fail", "broken": "test.fail"},
            nodes=nodes,
        ),
        status=RunStatus.FAILED if is_to_fail else RunStatus.COMPLETED,
        out=None if is_to_fail else ["it is the second"],
        visits=visits | ({"broken": "failed"} if is_to_fail else completed("out")),
    )


FAMILY = Family(name="failures", draw=_draw)
