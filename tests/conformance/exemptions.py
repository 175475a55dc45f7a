"""What time may change, and nothing else: what else had run when `stop` stopped a run, a body or a parallel.

Where a failure that nobody handled stopped others, a node may have run or not. Where it did run, here and in the
reference, it came to the same. Everything outside of what was stopped is compared in full.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.conformance import shared

_ENDED: Final = ("completed", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class Exemptions:
    """The parts of a run that a failure stopped, as beginnings of the paths of their nodes; "" is all of it."""

    prefixes: frozenset[str]

    def cover(self, path: str) -> bool:
        return any(path.startswith(prefix) for prefix in self.prefixes)


def exemptions(definition: Mapping[str, Any], seen: Mapping[str, Any]) -> Exemptions:
    """Those of a run of *definition* of which *seen* was observed."""
    prefixes = set()
    for scope in _failures(seen):
        if (definition.get("settings") or {}).get("onFailure", "stop") == "stop":
            prefixes.add(f"{scope}/" if scope else "")
        container = scope.rpartition("[")[0]
        drawn = definition["nodes"].get(container.rpartition("/")[2])
        if drawn and drawn["type"] == "parallel" and drawn["config"].get("onFailure", "stop") == "stop":
            prefixes.add(f"{container}[")
    return Exemptions(frozenset(prefixes))


def problems(case: Mapping[str, Any], seen: Mapping[str, Any]) -> list[str]:
    """Where *seen* is not what the reference interpreter made of *case*, and not exempt."""
    judge, reference = shared.module("check"), case["reference"]
    if seen["status"] == "rejected" or reference["status"] == "rejected":
        return judge.compare(case, seen)
    found = exemptions(case["definition"], reference)
    if not found.prefixes:
        return judge.compare({**case, "expect": _of_any_failure(case["expect"], reference, found)}, seen)
    narrowed = {**case, "expect": _narrowed(case["expect"], reference, seen, found)}
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
        if "error" not in row or (not found.cover(f"{scope}/") and len(failures[scope]) < 2):
            return row
        return {
            "error": {"$any": True} if found.cover(f"{scope}/") else {"$has": {"message": {"$in": failures[scope]}}}
        }

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
