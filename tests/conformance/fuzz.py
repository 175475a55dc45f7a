"""Random workflows: what the reference interpreter makes of them is what the engine must make of them, in any order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from random import Random
from typing import Any, Final

from tests.conformance import shared
from tests.conformance.simulated import Simulation

ORDERS: Final = 3  # random orders of each workflow, beside that of its clock


def random_case(seed: int, *, timings: int = 1) -> dict[str, Any]:
    """A random workflow without pauses, and what is to be expected of it."""
    maker = _maker()(seed)
    case = {
        "id": f"F{seed}",
        "title": f"random workflow {seed}",
        "rules": ["fuzz"],
        "definition": maker.definition(),
        "inputs": {"k": maker.rng.choice((0, 1, 2, 3)), "letter": maker.rng.choice("abcx")},
    }
    sleepers = [name for name, node in case["definition"]["nodes"].items() if node["type"] == "test.sleep"]
    if sleepers and timings > 1:
        choices = shared.module("fuzz").MS
        case["timings"] = [{name: maker.rng.choice(choices) for name in sleepers} for _ in range(timings)]
    return judged(case)


def judged(case: dict[str, Any]) -> dict[str, Any]:
    """*case* with what the reference interpreter makes of it."""
    seen = shared.module("check").observe(case, None)
    if _depends_on_time(case["definition"], seen):
        # One of the exemptions: what else had run when a failure stopped the rest.
        return {**case, "expect": {"status": seen["status"]}, "identical": False}
    if seen["status"] == "rejected":
        return {**case, "expect": {"status": "rejected"}}
    return {**case, "expect": shared.module("fuzz").expectation(case, seen)}


def disagreements(case: Mapping[str, Any], seed: int) -> list[str]:
    """What the engine's pure core makes of *case* otherwise; *seed* is that of its random orders."""
    compare, simulation = shared.module("check").compare, Simulation(case)
    problems = []
    for number in (None, *range(ORDERS)):
        order = None if number is None else Random(f"{seed} {number}")
        try:
            told = compare(case, simulation.observe(order=order))
        except Exception as error:  # noqa: BLE001 -- a crash is a disagreement, and is to be made small as well
            told = [f"crashed: {type(error).__name__}: {error}"]
        problems += [f"{'by its clock' if number is None else f'in order {number}'}: {problem}" for problem in told]
    return problems


def report(case: Mapping[str, Any], seed: int) -> str:
    """A failing case with both results."""
    judge, simulation = shared.module("check"), Simulation(case)
    reference = judge.observe(case, None)
    told = ["The workflow:", json.dumps({key: case[key] for key in ("definition", "inputs")}, indent=1)]
    told += ["The reference interpreter:", _result(reference)]
    for number in (None, *range(ORDERS)):
        order = None if number is None else Random(f"{seed} {number}")
        try:
            seen = simulation.observe(order=order)
        except Exception as error:  # noqa: BLE001 -- told, like any other result
            return "\n".join([*told, f"The engine crashed: {error!r}"])
        if judge.compare(case, seen):
            told += [f"The engine, {'by its clock' if number is None else f'in order {number}'}:", _result(seen)]
            break
    return "\n".join(told)


def _result(seen: Mapping[str, Any]) -> str:
    nodes = seen.get("nodes") or {}
    shown = {path: {"status": row["status"], "output": row.get("output")} for path, row in sorted(nodes.items())}
    told = {key: seen.get(key) for key in ("status", "outputs", "error", "variables")} | {"nodes": shown}
    if seen["status"] == "rejected":
        told = {"status": "rejected", "issues": seen["issues"]}
    return json.dumps(told, indent=1, default=str)


def _depends_on_time(definition: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    """Whether a failure that nobody handled stopped others, in the run or among the branches of a parallel."""
    drawn = definition["nodes"]
    for path, row in (seen.get("nodes") or {}).items():
        if row["status"] != "failed" or row.get("handled"):
            continue
        if (definition.get("settings") or {}).get("onFailure", "stop") == "stop":
            return True
        around = [drawn[step.partition("[")[0]] for step in path.split("/")[:-1]]
        if any(node["type"] == "parallel" and node["config"].get("onFailure", "stop") == "stop" for node in around):
            return True
    return False


@cache
def _maker() -> Any:
    """The suite's generator without pauses, which it decides on in the middle of its making."""
    made: type[Any] = shared.module("fuzz").Maker
    return type("Maker", (made,), {"pauses": property(lambda _: False, lambda _, __: None)})
