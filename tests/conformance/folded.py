"""What a client makes of a run's events, held against what the API shows of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tests.conformance.trial import Shown
from tests.realtime.javascript import javascript

FINAL: Final = frozenset({"completed", "failed", "cancelled"})
COUNTED: Final = ("completed", "failed", "skipped")  # visits of a node in a body
ABSENT: Final = "absent"


def differences(shown: Sequence[Shown]) -> list[str]:
    """Of all runs that stand still, folded by the client's own module in one go."""
    still = [each for each in shown if each.run["status"] in {*FINAL, "paused"}]
    states = javascript("folds", [each.told for each in still])
    return [
        f"{each.case} {each.run['status']}: {what}: the events say {folded!r}, the API {says!r}"
        for each, state in zip(still, states, strict=True)
        for what, folded, says in (*_of_run(state, each.run), *_of_nodes(state, each))
        if folded != says
    ]


def _of_run(state: dict[str, Any], run: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    yield "status", state["status"], run["status"]
    yield "error", state["error"], run["error"]
    # A run that failed or was cancelled returned nothing: no event has outputs, and what the row has is nobody's.
    if run["status"] == "completed" and run["outputs_omitted"] is None and "outputs_omitted" not in state:
        yield "outputs", state["outputs"], run["outputs"]
    yield "pause", state["pause"] and state["pause"]["reason"], run["pause"] and run["pause"]["reason"]
    own = [wait for wait in run["waiting_for"] if wait["execution_id"] == run["id"]]
    yield "waits", _waits(state["waits"]), _waits(own)


def _waits(waits: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    return {
        f"{wait['node_id']}/{wait['scope']}": tuple(wait[name] for name in ("id", "kind", "prompt", "schema"))
        for wait in waits
    }


def _of_nodes(state: dict[str, Any], shown: Shown) -> Iterator[tuple[str, Any, Any]]:
    nodes, visits = state["nodes"], {(visit["node_id"], visit["scope"]): visit for visit in shown.visits}
    for node_id, node in nodes.items():
        visit = visits.get((node_id, node["scope"]))
        names = ["status", "attempt", "port", *(["output"] if _has_output(node, visit) else [])]
        # Where a failure is replaced by an output, `node:completed` tells the output; what failed, only the row says.
        names += [] if node["status"] == "completed" else ["handled", "error"]
        for name in names:
            yield f"{node_id}/{node['scope']} {name}", node.get(name), ABSENT if visit is None else visit[name]
    counts = Counter((visit["node_id"], visit["status"]) for visit in shown.visits if visit["scope"])
    for node_id in {visit["node_id"] for visit in shown.visits if visit["scope"]}:
        says = {status: counts[node_id, status] for status in COUNTED}
        yield f"visits of {node_id}", nodes.get(node_id, {}).get("visits"), says
    # What no event tells of has not been there, was kept from the run before, or never had its turn.
    for (node_id, scope), visit in visits.items():
        if node_id not in nodes and not visit["kept"] and visit["status"] not in ("pending", "cancelled"):
            yield f"{node_id}/{scope} status", ABSENT, visit["status"]


def _has_output(node: dict[str, Any], visit: dict[str, Any] | None) -> bool:
    """Whether both have it whole."""
    whole = visit is not None and visit.get("output_omitted") is None and "output_omitted" not in node
    return whole and node["status"] == "completed"
