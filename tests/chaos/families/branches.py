"""Effects side by side, of different lengths: chords, segments, a choice, a join, and an edge for failures."""

from __future__ import annotations

from random import Random

from handlers import JSONObject
from tests.chaos.workloads import Family, Workload, completed, drawn, effect, output


def _draw(rng: Random) -> Workload:
    branches = [[f"b{place}_{step}" for step in range(rng.randint(1, 3))] for place in range(rng.randint(3, 8))]
    number = rng.randint(0, 3)
    lines = ["start -> choice", "choice:false -> calm -> join", "choice:true -> bad", "bad:error -> join -> out"]
    lines += [" -> ".join(["start", *branch, "join"]) for branch in branches]
    ends = [branch[-1] for branch in branches]
    nodes: dict[str, JSONObject] = {
        "choice": {"config": {"expression": "inputs.number > 1"}},
        "calm": effect(rng, "calm"),
        "join": effect(rng, " ".join("{{" + end + ".result}}" for end in ends)),
        "out": output("{{join.result}}", "{{bad.error.message}}", "{{calm.result}}"),
    }
    for branch in branches:
        value = ""
        for name in branch:
            nodes[name] = effect(rng, value + name)
            value = "{{" + name + ".result}}"
    is_bad = number > 1
    other = {"bad": "failed", "calm": "skipped"} if is_bad else {"bad": "skipped", "calm": "completed"}
    return Workload(
        definition=drawn(", ".join(lines), types={"choice": "conditional", "bad": "test.fail"}, nodes=nodes),
        inputs={"number": number},
        out=[" ".join(map("".join, branches)), "boom" if is_bad else None, None if is_bad else "calm"],
        visits=completed("start", "choice", *(name for branch in branches for name in branch), "join", "out") | other,
    )


FAMILY = Family(name="branches", draw=_draw)
