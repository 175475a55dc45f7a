"""Runs that start runs and wait for their ends: one of them, or one for each branch of a parallel."""

from __future__ import annotations

from random import Random

from handlers import JSONObject
from tests.chaos.workloads import Family, Workload, completed, drawn, effect, output


def _draw(rng: Random) -> Workload:
    return _of_branches(rng, rng.randint(2, 4)) if rng.random() < 0.5 else _in_line(rng)


def _in_line(rng: Random) -> Workload:
    nodes = {
        "before": effect(rng, "{{inputs.word}}"),
        "child": _child("{{before.result}}"),
        "out": output("{{child.out}}"),
    }
    return Workload(
        definition=drawn("start -> before -> child -> out", types={"child": "subWorkflow"}, nodes=nodes),
        inputs={"word": "a"},
        workflows={"child": _called(rng)},
        out=[["a left", "a right"]],
        visits=completed("start", "before", "child", *_visits("child"), "out"),
    )


def _of_branches(rng: Random, count: int) -> Workload:
    nodes = {
        "par": {"config": {"mode": "count", "count": count}},
        "child": _child("{{par.index}}"),
        "after": effect(rng, "{{par.results}}"),
        "out": output("{{after.result}}"),
    }
    children = [f"par[{place}]/child" for place in range(count)]
    return Workload(
        definition=drawn(
            "start -> par -> after -> out, par:body -> child",
            types={"par": "parallel", "child": "subWorkflow"},
            nodes=nodes,
        ),
        workflows={"child": _called(rng)},
        out=[[{"child": {"out": [f"{place} left", f"{place} right"]}} for place in range(count)]],
        visits=completed("start", "par", *children, *(name for child in children for name in _visits(child)))
        | completed("after", "out"),
    )


def _child(word: str) -> JSONObject:
    return {"config": {"workflow": "child", "inputs": {"word": word}}}


def _called(rng: Random) -> JSONObject:
    nodes = {
        "left": effect(rng, "{{start.word}} left"),
        "right": effect(rng, "{{start.word}} right"),
        "out": output("{{left.result}}", "{{right.result}}"),
    }
    return drawn("start -> left -> out, start -> right -> out", nodes=nodes)


def _visits(child: str) -> list[str]:
    return [f"{child}/{name}" for name in ("start", "left", "right", "out")]


FAMILY = Family(name="children", draw=_draw)
