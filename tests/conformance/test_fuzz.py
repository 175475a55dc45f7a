"""Random workflows in the pure core and on the real stack, against the reference interpreter.

`make fuzz SEED=… N=… REAL=…` runs as many as you like; without it, a few are run.
"""

from __future__ import annotations

import os
from typing import Any, Final

import pytest

from benchmarks.workers import Workers
from tests.conformance import shared
from tests.conformance.exemptions import problems
from tests.conformance.fuzz import disagreements, judged, random_cases, report
from tests.conformance.machines import Machines
from tests.conformance.real import RealEngine
from tests.conformance.shrink import shrink

shared.skip_without()

SEED: Final = int(os.environ.get("FUZZ_SEED", "0"))
CORE: Final = int(os.environ.get("FUZZ_N", "300"))
REAL: Final = int(os.environ.get("FUZZ_REAL", "10"))
CHUNK: Final = 100


@pytest.mark.parametrize("first", range(SEED, SEED + CORE, CHUNK))
def test_pure_core_agrees_with_the_reference(first: int) -> None:
    for seed, case in random_cases(range(first, min(first + CHUNK, SEED + CORE))):
        told = disagreements(case, seed)
        if told:
            pytest.fail("\n".join([f"seed {seed}:", *told[:10], report(_smallest(case, seed), seed)]), pytrace=False)


def _smallest(case: dict[str, Any], seed: int) -> dict[str, Any]:
    def redrawn(definition: dict[str, Any]) -> dict[str, Any]:
        return {**case, "definition": definition}

    def fails(definition: dict[str, Any]) -> bool:
        try:
            smaller = judged(redrawn(definition))
        except Exception:  # noqa: BLE001 -- nothing that the reference could judge
            return False
        if smaller["expect"]["status"] == "rejected":
            return False
        return bool(disagreements(smaller, seed))

    return judged(redrawn(shrink(case["definition"], fails)))


@pytest.mark.stack
@pytest.mark.usefixtures("db")
def test_real_stack_agrees_with_the_reference(stack: Workers) -> None:
    cases = [case for _, case in random_cases(range(SEED, SEED + REAL), timings=2)]
    engine = RealEngine(Machines(stack))

    engine.run(cases)

    told = {
        f"{case['id']} {timing}": problems(case, engine.observe(case, timing))
        for case in cases
        for timing in case.get("timings") or [None]
    }
    assert {name: found for name, found in told.items() if found} == {}
