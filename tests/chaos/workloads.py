"""What is run while things break: drawings of a few families, and what each run of them must come to.

A family is a module of `tests.chaos.families` with a FAMILY; whatever lies there takes part.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from executions.core import RunStatus
from executions.faults import Fault
from handlers import JSONObject
from tests.chaos.nodes import EFFECT
from tests.graphs import draw


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One drawing with its inputs, and what every run of it comes to, whatever happens to those who run it."""

    definition: JSONObject
    inputs: JSONObject = field(default_factory=dict)
    workflows: Mapping[str, JSONObject] = field(default_factory=dict)  # that it starts, by the name it has for them
    status: RunStatus = RunStatus.COMPLETED
    out: Any = None  # what its node `out` puts out; of a run that fails: nothing
    # Visit → status; those of runs that it starts are below the node that did: `par[0]/child/left`.
    visits: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Family:
    """Workloads of one kind."""

    name: str
    draw: Callable[[Random], Workload]
    judge: Callable[[UUID], list[str]] | None = None  # what is wrong with a run that is over, beside the usual
    reaches: frozenset[Fault] = frozenset()  # faults that runs of other families do not come by


def families() -> list[Family]:
    package = importlib.import_module("tests.chaos.families")
    modules = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}").FAMILY for name in modules]


# ---- what families draw with
def drawn(drawing: str, *, nodes: Mapping[str, JSONObject], types: Mapping[str, str] | None = None) -> JSONObject:
    """*drawing*, as `tests.graphs.draw` reads it; what neither its name nor *types* says anything of is an effect."""

    def type_of(node_id: str) -> str:
        return {"start": "trigger", "out": "output", **(types or {})}.get(node_id, EFFECT)

    return draw(drawing, types=type_of, nodes=nodes)


def effect(rng: Random, value: str, *, most_ms: int = 400, **config: Any) -> JSONObject:
    """An effect that takes a moment and gives back *value*."""
    return {"config": {"value": value, "ms": rng.randint(1, most_ms), **config}}


def output(*values: str) -> JSONObject:
    return {"config": {"outputName": "out", "value": [*values], "format": "json"}}


def completed(*visits: str) -> dict[str, str]:
    return dict.fromkeys(visits, "completed")
