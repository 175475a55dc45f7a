"""Branches over a list, some of them capped, with a line of effects in each."""

from __future__ import annotations

from random import Random

from tests.chaos.workloads import Family, Workload, completed, drawn, effect, output


def _draw(rng: Random) -> Workload:
    words = [rng.choice(["ox", "cow", "hen"]) for _ in range(rng.randint(3, 9))]
    config = {"mode": "collection", "collection": "{{inputs.words}}", "maxConcurrency": rng.choice([2, 20])}
    nodes = {
        "par": {"config": config},
        "a": effect(rng, "{{par.item}}{{par.index}}", most_ms=250),
        "b": effect(rng, "{{a.result}}!", most_ms=250),
        "last": effect(rng, "{{par.results.length}}"),
        "out": output("{{par.results}}", "{{last.result}}"),
    }
    named = [f"{word}{place}" for place, word in enumerate(words)]
    branches = [f"par[{place}]/{node}" for place in range(len(words)) for node in ("a", "b")]
    return Workload(
        definition=drawn("start -> par -> last -> out, par:body -> a -> b", types={"par": "parallel"}, nodes=nodes),
        inputs={"words": words},
        out=[[{"a": {"result": name}, "b": {"result": f"{name}!"}} for name in named], len(words)],
        visits=completed("start", "par", *branches, "last", "out"),
    )


FAMILY = Family(name="parallels", draw=_draw)
