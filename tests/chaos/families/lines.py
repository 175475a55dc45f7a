"""One node after the other: what a worker goes through in line, a commit each."""

from __future__ import annotations

from random import Random

from handlers import JSONObject
from tests.chaos.workloads import Family, Workload, completed, drawn, effect, output


def _draw(rng: Random) -> Workload:
    names = [f"n{place}" for place in range(rng.randint(3, 7))]
    pure = {name for name in names if rng.random() < 0.3}
    nodes: dict[str, JSONObject] = {"out": output("{{" + names[-1] + ".result}}")}
    value, word = "{{inputs.word}}", rng.choice("abc")
    for name in names:
        nodes[name] = {"config": {"value": value}} if name in pure else effect(rng, value)
        value = "{{" + name + ".result}}" + name
    return Workload(
        definition=drawn(" -> ".join(["start", *names, "out"]), types=dict.fromkeys(pure, "test.echo"), nodes=nodes),
        inputs={"word": word},
        out=[word + "".join(names[:-1])],
        visits=completed("start", *names, "out"),
    )


FAMILY = Family(name="lines", draw=_draw)
