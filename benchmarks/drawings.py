"""The shapes that are measured, as definitions of nodes that do nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from handlers import JSONObject, PauseKind

_NO_CAP = {"maxConcurrentNodes": 10_000}  # what is measured is the way of a node, not the wait for a place


def line(kind: str, length: int) -> JSONObject:
    names = [f"n{place:04}" for place in range(length)]
    return _definition(dict.fromkeys(names, kind), list(pairwise(names)))


def fan_out(kind: str, width: int) -> JSONObject:
    return branches(kind, width, 1)


def branches(kind: str, width: int, length: int) -> JSONObject:
    """*width* lines of *length* nodes beside each other, between a first node and a join."""
    lines = [[f"b{place:04}_{step}" for step in range(length)] for place in range(width)]
    nodes = {"first": "bench.pure", **dict.fromkeys((name for names in lines for name in names), kind)}
    edges = [edge for names in lines for edge in pairwise(["first", *names, "join"])]
    return _definition({**nodes, "join": "bench.pure"}, edges)


def beside(kind: str, width: int, config: JSONObject) -> JSONObject:
    """*width* nodes of one configuration beside each other."""
    names = [f"n{place:04}" for place in range(width)]
    kinds = {"first": "bench.pure", **dict.fromkeys(names, kind), "join": "bench.pure"}
    edges = [edge for name in names for edge in pairwise(["first", name, "join"])]
    return _definition(kinds, edges, dict.fromkeys(names, config))


def paced(steps: int) -> JSONObject:
    """A question, and then a moment every half a second."""
    moments = [(f"wait{step:02}", f"moment{step:02}") for step in range(steps)]
    names = ["first", "ask", *(name for pair in moments for name in pair)]
    kinds = {"first": "bench.pure", "ask": "bench.ask"}
    kinds |= {name: "bench.sleep" if name.startswith("wait") else "bench.stamp" for name in names[2:]}
    return _definition(kinds, list(pairwise(names)), {wait: {"ms": 500} for wait, _ in moments})


def asked_beside(kind: str, width: int, config: JSONObject) -> JSONObject:
    """A question, and then *width* nodes of one configuration beside each other."""
    names = [f"n{place:04}" for place in range(width)]
    kinds = {"first": "bench.pure", "ask": "bench.ask", **dict.fromkeys(names, kind)}
    return _definition(kinds, [("first", "ask"), *(("ask", name) for name in names)], dict.fromkeys(names, config))


def mixed() -> JSONObject:
    """Ten nodes: eight pure, two effects."""
    names = [f"n{place}" for place in range(10)]
    kinds = {name: "bench.effect" if place in {3, 7} else "bench.pure" for place, name in enumerate(names)}
    return _definition(kinds, list(pairwise(names)))


def loop(kind: str, iterations: int) -> JSONObject:
    config = {"loopType": "count", "count": iterations, "maxIterations": 10_000}
    return _body("loop", config, kind)


def parallel(kind: str, count: int) -> JSONObject:
    return _body("parallel", {"mode": "count", "count": count, "maxConcurrency": count}, kind)


def asking(kind: PauseKind) -> JSONObject:
    """A pause and the node behind it, which says when it began. A timer wakes at `inputs.at`."""
    kinds = {"first": "bench.pure", "ask": "bench.ask", "next": "bench.stamp"}
    return _definition(kinds, list(pairwise(kinds)), {"ask": {"kind": kind.value, "at": "{{inputs.at}}"}})


def large(bytes_: int) -> JSONObject:
    """Ten effects in line; each returns so much, and reads what the one before it returned."""
    names = [f"n{place}" for place in range(10)]
    configs = {
        name: {"bytes": bytes_, "read": f"{{{{{before}.data}}}}"} for before, name in pairwise(["start", *names])
    }
    return _definition(
        {"start": "bench.pure", **dict.fromkeys(names, "bench.large")}, list(pairwise(["start", *names])), configs
    )


def uneven() -> JSONObject:
    """Ten nodes of 20 ms beside one of 400 ms that five of 20 ms follow: 500 ms at the least."""
    short, long = [f"s{place}" for place in range(10)], ["slow", *(f"l{place}" for place in range(5))]
    configs = {name: {"ms": 400 if name == "slow" else 20} for name in [*short, *long]}
    edges = [*pairwise(["first", *short, "join"]), *pairwise(["first", *long, "join"])]
    kinds = {"first": "bench.pure", **dict.fromkeys(configs, "bench.sleep"), "join": "bench.pure"}
    return _definition(kinds, edges, configs)


UNEVEN_SECONDS = 0.5  # the critical path of `uneven`


def _definition(
    kinds: dict[str, str], edges: list[tuple[str, str]], configs: dict[str, dict[str, Any]] | None = None
) -> JSONObject:
    return {
        "name": "bench",
        "nodes": {
            name: {"type": kind, "name": name, "config": (configs or {}).get(name, {})} for name, kind in kinds.items()
        },
        "edges": [{"id": f"e{number}", "source": a, "target": b} for number, (a, b) in enumerate(edges)],
        "entryPoint": next(iter(kinds)),
        "settings": dict(_NO_CAP),
    }


def _body(container: str, config: dict[str, Any], kind: str) -> JSONObject:
    drawn = _definition(
        {"first": "bench.pure", "around": container, "inside": kind}, [("first", "around")], {"around": config}
    )
    body = {"id": "body", "source": "around", "target": "inside", "sourceHandle": "body"}
    return drawn | {"edges": [*drawn["edges"], body]}  # type: ignore[misc]
