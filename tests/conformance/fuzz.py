"""Random workflows: what the reference interpreter makes of them is what the engine must make of them, in any order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any, Final

from tests.conformance import shared
from tests.conformance.exemptions import exemptions, problems
from tests.conformance.simulation import Simulation

ORDERS: Final = 3  # random orders of each workflow, beside that of its clock
_SAY_SOMETHING: Final = frozenset({"test.echo", "test.sleep"})
MOST_ANSWERS: Final = 25  # that a run is given; the generator leaves out workflows that ask for more, too


class AsksTooMuch(Exception):
    """A run is still waiting after MOST_ANSWERS."""


def random_cases(seeds: Iterable[int], *, timings: int = 1) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each with its seed."""
    for seed in seeds:
        with suppress(AsksTooMuch):
            yield seed, random_case(seed, timings=timings)


def random_case(seed: int, *, timings: int = 1) -> dict[str, Any]:
    """A random workflow, its answers, and what is to be expected of it. Raises AsksTooMuch."""
    maker = shared.module("fuzz").Maker(seed)
    definition = maker.definition()
    if seed % 2:
        _ask_more(definition, maker.rng)
    case = {
        "id": f"F{seed}",
        "title": f"random workflow {seed}",
        "rules": ["fuzz"],
        "definition": definition,
        "inputs": {"k": maker.rng.choice((0, 1, 2, 3)), "letter": maker.rng.choice("abcx")},
    }
    sleepers = [name for name, node in case["definition"]["nodes"].items() if node["type"] == "test.sleep"]
    if sleepers and timings > 1:
        choices = shared.module("fuzz").MS
        case["timings"] = [{name: maker.rng.choice(choices) for name in sleepers} for _ in range(timings)]
    return judged(case)


def _ask_more(definition: dict[str, Any], rng: Random) -> None:
    """Let people say what some of the nodes would have said: of itself the generator seldom pauses, and not for long."""
    for node in definition["nodes"].values():
        if node["type"] in _SAY_SOMETHING and not node.get("disabled") and rng.random() < 0.2:
            node |= {"type": "humanReview", "config": {"prompt": "Say", "variableName": "result", "inputType": "json"}}


def judged(case: dict[str, Any]) -> dict[str, Any]:
    """*case* with answers, and with what the reference interpreter makes of it. Raises AsksTooMuch."""
    order, observe = Random(case["id"]), shared.module("check").observe
    case = {**case, "actions": []}
    seen = observe(case, None)
    if seen["status"] == "rejected":
        return {**case, "expect": {"status": "rejected"}, "reference": seen}
    while seen["status"] == "paused":
        if len(case["actions"]) == MOST_ANSWERS:
            raise AsksTooMuch
        answer = {"node": order.choice(seen["open"]), "input": f"answer{len(case['actions'])}"}
        case["actions"].append({"when": "paused", "open": seen["open"], "do": "resume", **answer, "reply": "accepted"})
        seen = observe(case, None)
    return {**case, "expect": shared.module("fuzz").expectation(case, seen), "reference": seen}


def disagreements(case: Mapping[str, Any], seed: int) -> list[str]:
    """What the engine's pure core makes of *case* otherwise; *seed* is that of its random orders."""
    told, facts = [], set()
    for name, observe, judged_as in _runs(case, seed):
        try:
            seen = observe()
            found = problems(judged_as, seen)
        except Exception as error:  # noqa: BLE001 -- a crash is a disagreement, and is to be made small as well
            found = [f"crashed: {type(error).__name__}: {error}"]
        else:
            facts.add(shared.module("check").facts(seen))
        told += [f"{name}: {problem}" for problem in found]
    if len(facts) > 1 and not told and not exemptions(case["definition"], case["reference"]):
        told.append("the orders disagree with one another")
    return told


def report(case: Mapping[str, Any], seed: int) -> str:
    """A failing case with the results that differ."""
    told = ["The workflow:", json.dumps({key: case[key] for key in ("definition", "inputs", "actions")}, indent=1)]
    told += ["The reference interpreter:", _result(case["reference"])]
    first = None
    for name, observe, judged_as in _runs(case, seed):
        try:
            seen = observe()
        except Exception as error:  # noqa: BLE001 -- told, like any other result
            return "\n".join([*told, f"The engine, {name}, crashed: {error!r}"])
        facts = shared.module("check").facts(seen)
        first = first or facts
        if problems(judged_as, seen) or facts != first:
            told += [f"The engine, {name}:", _result(seen)]
            break
    return "\n".join(told)


def _runs(case: Mapping[str, Any], seed: int) -> Iterator[tuple[str, Callable[[], dict[str, Any]], Mapping[str, Any]]]:
    """Each with what it is to be judged as: in a random order an answer comes at any moment, and sees anything."""
    simulation, without_actions = Simulation(case), {**case, "actions": []}
    yield "by its clock", simulation.observe, case
    for number in range(ORDERS):
        order = Random(f"{seed} {number}")
        yield f"in order {number}", partial(simulation.observe, order=order), without_actions
    if not shared.module("fuzz").unhandled(case["reference"]):  # one with an unhandled failure never pauses: it ends
        paused = partial(simulation.observe, order=Random(f"{seed} paused"), with_pause=True)
        yield "paused on request meanwhile", paused, without_actions


def _result(seen: Mapping[str, Any]) -> str:
    nodes = seen.get("nodes") or {}
    shown = {path: {"status": row["status"], "output": row.get("output")} for path, row in sorted(nodes.items())}
    told = {key: seen.get(key) for key in ("status", "outputs", "error", "variables")} | {"nodes": shown}
    if seen["status"] == "rejected":
        told = {"status": "rejected", "issues": seen["issues"]}
    return json.dumps(told, indent=1, default=str)
