"""Random workflows: what the reference interpreter makes of them is what the engine must make of them, in any order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from random import Random
from typing import Any, Final

from tests.conformance import shared
from tests.conformance.exemptions import exemptions, problems
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
    if seen["status"] == "rejected":
        return {**case, "expect": {"status": "rejected"}, "reference": seen}
    return {**case, "expect": shared.module("fuzz").expectation(case, seen), "reference": seen}


def disagreements(case: Mapping[str, Any], seed: int) -> list[str]:
    """What the engine's pure core makes of *case* otherwise; *seed* is that of its random orders."""
    told, facts = [], set()
    for name, observe in _runs(case, seed):
        try:
            seen = observe()
            found = problems(case, seen)
        except Exception as error:  # noqa: BLE001 -- a crash is a disagreement, and is to be made small as well
            found = [f"crashed: {type(error).__name__}: {error}"]
        else:
            facts.add(shared.module("check").facts(seen))
        told += [f"{name}: {problem}" for problem in found]
    if len(facts) > 1 and not told and not exemptions(case["definition"], case["reference"]).prefixes:
        told.append("the orders disagree with one another")
    return told


def report(case: Mapping[str, Any], seed: int) -> str:
    """A failing case with the results that differ."""
    told = ["The workflow:", json.dumps({key: case[key] for key in ("definition", "inputs")}, indent=1)]
    told += ["The reference interpreter:", _result(case["reference"])]
    first = None
    for name, observe in _runs(case, seed):
        try:
            seen = observe()
        except Exception as error:  # noqa: BLE001 -- told, like any other result
            return "\n".join([*told, f"The engine, {name}, crashed: {error!r}"])
        facts = shared.module("check").facts(seen)
        first = first or facts
        if problems(case, seen) or facts != first:
            told += [f"The engine, {name}:", _result(seen)]
            break
    return "\n".join(told)


def _runs(case: Mapping[str, Any], seed: int) -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    simulation = Simulation(case)
    yield "by its clock", simulation.observe
    for number in range(ORDERS):
        yield f"in order {number}", partial(simulation.observe, order=Random(f"{seed} {number}"))


def _result(seen: Mapping[str, Any]) -> str:
    nodes = seen.get("nodes") or {}
    shown = {path: {"status": row["status"], "output": row.get("output")} for path, row in sorted(nodes.items())}
    told = {key: seen.get(key) for key in ("status", "outputs", "error", "variables")} | {"nodes": shown}
    if seen["status"] == "rejected":
        told = {"status": "rejected", "issues": seen["issues"]}
    return json.dumps(told, indent=1, default=str)


@cache
def _maker() -> Any:
    """The suite's generator without pauses, which it decides on in the middle of its making."""
    made: type[Any] = shared.module("fuzz").Maker
    return type("Maker", (made,), {"pauses": property(lambda _: False, lambda _, __: None)})
