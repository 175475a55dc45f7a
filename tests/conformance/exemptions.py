"""What time may change, and nothing else: what else had run when `stop` stopped a run, a body or a parallel.

Where a failure that nobody handled stopped others, a node may have run or not. Where it did run, here and in the
reference, it came to the same. Everything outside of what was stopped is compared in full.

Under `finish-branches` this is so of what is behind a pause: what fails waits for nobody, and withdraws the question.
Whether it was answered before the failure or not is a matter of time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from executions.core import Graph, lay_out, scopes
from handlers import catalogue
from tests.conformance import shared
from workflows.core import PlanNode, build_plan, parse_definition
from workflows.core.plan import OnFailure

_ENDED: Final = ("completed", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class Exemptions:
    """The parts of a run that a failure stopped."""

    prefixes: frozenset[str]  # beginnings of the paths of their nodes; "" is all of it
    behind_pauses: frozenset[str] = frozenset()  # paths of nodes, with all that is in them

    def __bool__(self) -> bool:
        return bool(self.prefixes or self.behind_pauses)

    def cover(self, path: str) -> bool:
        if any(path.startswith(prefix) for prefix in self.prefixes):
            return True
        return any(path == visit or path.startswith(f"{visit}[") for visit in self.behind_pauses)

    def leave_open_why(self, scope: str) -> bool:
        """Whether *scope* may have failed by another failure than it did in the reference."""
        return self.cover(f"{scope}/") or any(visit.startswith(f"{scope}/") for visit in self.behind_pauses)


def exemptions(definition: Mapping[str, Any], seen: Mapping[str, Any]) -> Exemptions:
    """Those of a run of *definition* of which *seen* was observed."""
    prefixes, behind_pauses = set(), set()
    failures = _failures(seen)
    graph = lay_out(build_plan(parse_definition(definition), catalogue=catalogue)) if failures else None
    for scope in failures:
        if graph.plan.on_failure is OnFailure.STOP:
            prefixes.add(f"{scope}/" if scope else "")
        else:
            behind_pauses |= {
                scopes.path(scope, node_id) for node_id in _behind_pauses(graph, scopes.container_of(scope))
            }
        container = scope.rpartition("[")[0]
        drawn = definition["nodes"].get(container.rpartition("/")[2])
        if drawn and drawn["type"] == "parallel" and drawn["config"].get("onFailure", "stop") == "stop":
            prefixes.add(f"{container}[")
    return Exemptions(frozenset(prefixes), frozenset(behind_pauses))


def _behind_pauses(graph: Graph, container: str) -> set[str]:
    """The nodes of a body that wait for somebody, or follow one that does."""
    body = graph.bodies[container]
    return {
        body.nodes[place].id for place in body.reach(at for at, node in enumerate(body.nodes) if _asks(graph, node))
    }


def _asks(graph: Graph, node: PlanNode) -> bool:
    return node.pauses or (
        node.container is not None and any(_asks(graph, each) for each in graph.bodies[node.id].nodes)
    )


def problems(case: Mapping[str, Any], seen: Mapping[str, Any]) -> list[str]:
    """Where *seen* is not what the reference interpreter made of *case*, and not exempt."""
    judge, reference = shared.module("check"), case["reference"]
    if seen["status"] == "rejected" or reference["status"] == "rejected":
        return judge.compare(case, seen)
    found = exemptions(case["definition"], reference)
    if not found:
        return judge.compare({**case, "expect": _of_any_failure(case["expect"], reference, found)}, seen)
    narrowed = {**case, "actions": [], "expect": _narrowed(case["expect"], reference, seen, found)}
    return [*judge.compare(narrowed, seen), *_differences(case["expect"], reference, seen, found)]


def _narrowed(
    expected: Mapping[str, Any], reference: Mapping[str, Any], seen: Mapping[str, Any], found: Exemptions
) -> dict[str, Any]:
    unsure = {path.rpartition("/")[2] for path in (*reference["nodes"], *seen["nodes"]) if found.cover(path)}
    sure = {**expected, "nodes": {path: want for path, want in expected["nodes"].items() if not found.cover(path)}}
    return {
        **_of_any_failure(sure, reference, found),
        "ran": {"$has": {node: times for node, times in expected["ran"].items() if node not in unsure}},
        "skipped": [path for path in expected["skipped"] if not found.cover(path)],
    }


def _of_any_failure(expected: Mapping[str, Any], reference: Mapping[str, Any], found: Exemptions) -> dict[str, Any]:
    """*expected*, where a branch in which several nodes failed may have ended by any of them."""
    failures = _failures(reference)

    def row_of(scope: str, row: dict[str, Any]) -> dict[str, Any]:
        if "error" not in row or (not found.leave_open_why(scope) and len(failures[scope]) < 2):
            return row
        any_of_them = {"$any": True} if found.leave_open_why(scope) else {"$has": {"message": {"$in": failures[scope]}}}
        return {"error": any_of_them}

    nodes = dict(expected["nodes"])
    for path, want in nodes.items():
        told = want["output"].get("$has", {}) if isinstance(want.get("output"), dict) else {}
        if "results" in told:
            rows = [row_of(f"{path}[{index}]", row) for index, row in enumerate(told["results"])]
            nodes[path] = {**want, "output": {"$has": {**told, "results": rows}}}
    return {**expected, "nodes": nodes}


def _differences(
    expected: Mapping[str, Any], reference: Mapping[str, Any], seen: Mapping[str, Any], found: Exemptions
) -> list[str]:
    """Nodes in what was stopped that ran here as well as in the reference, and came to something else."""
    told, match = [], shared.module("check").match
    wanted = _of_any_failure(expected, reference, found)["nodes"]
    for path, row in seen["nodes"].items():
        other = reference["nodes"].get(path) or {}
        if not found.cover(path) or row["status"] not in _ENDED or other.get("status") not in _ENDED:
            continue
        if row["attempts"] != other["attempts"]:
            continue  # a node between two attempts gets no further one
        if row["status"] != other["status"] or (row["status"] == "failed" and row["handled"] != other["handled"]):
            told.append(f"{path}: {row['status']} instead of {other['status']}")
        elif "output" in wanted.get(path, {}):
            told += match(wanted[path]["output"], row["output"], f"{path}.output")
    return told


def _failures(seen: Mapping[str, Any]) -> dict[str, list[str]]:
    """What was said by the failures that nobody handled, by scope."""
    found: dict[str, list[str]] = defaultdict(list)
    for path, row in seen["nodes"].items():
        if row["status"] == "failed" and not row.get("handled"):
            found[path.rpartition("/")[0]].append(row["error"]["message"])
    return found
