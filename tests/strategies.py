"""What hypothesis draws: JSON, expressions, valid definitions, and their plans."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from handlers.values import is_summable
from tests import graphs
from workflows.core import Plan, build_plan, parse_definition
from workflows.core.loops import MAX_DEPTH

# What the database stores: no NUL, no half characters.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT

HANDLES = {
    "conditional": ["true", "false", "output-true", "error", None],
    "switch": ["a", "b", "default", "error", None],
    "loop": [None, "output", "done", "loop-exit", "error"],
    "parallel": [None, "done", "error"],
}
CONTAINERS = ("loop", "parallel")
BODY_HANDLES = ["body", "output-body", "loop-body"]
NAMES = [
    "inputs.x",
    "x",
    "n0",
    "n1.a.b",
    "n2",
    "made",
    "made[0].k",
    "var.v1",
    "v0",
    "env.KEY",
    "trigger",
    "$now",
    "ghost",
    "loop.index",
    "loop.item.a",
    "n1.results",
    "parallel.currentItem",
    "each",
    "at",
]


def json_values(*, max_leaves: int = 20) -> st.SearchStrategy[Any]:
    """Any JSON value."""
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
        max_leaves=max_leaves,
    )


def expressions() -> st.SearchStrategy[str]:
    """Text that is usually an expression, of every form the grammar has."""
    leaves = st.sampled_from([*NAMES, "null", "true", "0", "-1", "2.5", "1e3", "''", "'a b'", '"7"', "'\\n'"])
    return st.recursive(leaves, _larger, max_leaves=12)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["||", "??", "&&", "==", "!=", "===", "!==", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"]
    )
    methods = st.sampled_from(
        [
            "trim()",
            "length",
            "toLowerCase()",
            "slice(1)",
            "split(',')",
            "join('')",
            "includes('a')",
            "indexOf(1)",
            "0",
            "a-b",
        ]
    )
    functions = st.sampled_from(
        ["Number", "String", "Boolean", "Math.round", "Math.abs", "Object.keys", "Object.values"]
    )
    return st.one_of(
        st.builds("{} {} {}".format, inner, operators, inner),
        st.builds("({})".format, inner),
        st.builds("{{{{{}}}}}".format, inner),
        st.builds("!{}".format, inner),
        st.builds("-{}".format, inner),
        st.builds("{} ? {} : {}".format, inner, inner, inner),
        st.builds("({}).{}".format, inner, methods),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("{}({})".format, functions, inner),
        st.builds("Math.max({}, {})".format, inner, inner),
    )


@st.composite
def definitions(draw: st.DrawFn, *, max_nodes: int = 12, containers: bool = False) -> dict[str, Any]:
    """Valid definitions of the types in `tests.graphs`, with every feature there is; bodies only with *containers*."""
    count = draw(st.integers(1, max_nodes))
    ids = [f"n{index}" for index in range(count)]
    choices = [kind for kind in graphs.catalogue if containers or kind not in CONTAINERS]
    # More containers than would come by themselves: bodies in bodies are what is to be tried.
    choices += [*CONTAINERS, "loop"] if containers else []
    kinds = dict(zip(ids, draw(st.lists(st.sampled_from(choices), min_size=count, max_size=count)), strict=True))
    parents: dict[str, str | None] = {}
    edges: list[dict[str, Any]] = []

    def link(source: str, target: str, handles: list[str | None]) -> None:
        handle = draw(st.sampled_from(handles))
        edges.append({"id": f"e{len(edges)}", "source": source, "target": target, "sourceHandle": handle})

    for index, node_id in enumerate(ids):
        open_to = [
            other for other in ids[:index] if kinds[other] in CONTAINERS and len(_around(other, parents)) < MAX_DEPTH
        ]
        parent = parents[node_id] = draw(st.sampled_from([None, *open_to])) if open_to else None
        beside = [other for other in ids[:index] if parents[other] == parent]
        sources = draw(st.lists(st.sampled_from(beside), max_size=3)) if beside else []
        for source in sources:
            link(source, node_id, HANDLES.get(kinds[source], [None, "output", "error"]))
        if parent is not None and (not sources or draw(st.booleans())):
            link(parent, node_id, [*BODY_HANDLES])
        if parent is not None and draw(st.booleans()):
            link(node_id, parent, HANDLES.get(kinds[node_id], [None, "output", "error"]))
    nodes = {
        node_id: draw(
            _nodes(
                kinds[node_id],
                [other for other in ids[index + 1 :] if parents[other] == parents[node_id]],
                branches=any(kinds[around] == "parallel" for around in _around(node_id, parents)),
            )
        )
        for index, node_id in enumerate(ids)
    }
    return {
        "name": "drawn",
        "nodes": nodes,
        "edges": draw(st.permutations(edges)),
        "entryPoint": "n0",
        "variables": draw(st.dictionaries(st.sampled_from(["v0", "v1"]), SCALARS.filter(is_summable))),
        "settings": draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "timeout": st.integers(1, 10**6),
                    "maxConcurrentNodes": st.integers(1, 200),
                    "onFailure": st.sampled_from(["stop", "finish-branches"]),
                },
            )
        ),
    }


def _around(node_id: str, parents: dict[str, str | None]) -> list[str]:
    parent = parents[node_id]
    return [] if parent is None else [parent, *_around(parent, parents)]


@st.composite
def _nodes(draw: st.DrawFn, kind: str, later: list[str], *, branches: bool) -> dict[str, Any]:
    references = st.sampled_from(NAMES).map("{{{{{}}}}}".format)
    values = references | references.map("a {} b".format) | SCALARS.filter(lambda value: "{{" not in str(value))
    config: dict[str, Any] = {
        "conditional": {"expression": draw(st.sampled_from(NAMES))},
        "switch": {"expression": draw(references), "cases": [{"value": "a"}, {"value": "b"}]},
        "setVariable": {
            "name": draw(st.sampled_from(["v0", "v1"])),
            draw(st.sampled_from(["append"] if branches else ["value", "append"])): draw(values),
        },
        "input": {"inputName": draw(st.sampled_from(["x", "y"]))},
        "output": {"outputName": "out", "value": draw(values)},
        "loop": draw(_loops(references)),
        "parallel": draw(
            st.fixed_dictionaries({"mode": st.just("count"), "count": st.integers(0, 3)})
            | st.fixed_dictionaries(
                {"mode": st.just("collection"), "collection": references | st.just(["p", {"a": 1}])}
            )
        ),
    }.get(kind, {"value": draw(values)})
    if draw(st.booleans()):
        config["outputVariable"] = draw(st.sampled_from(["made", "x", "n1"]))
    node: dict[str, Any] = {"type": kind, "name": kind, "config": config, "position": {"x": 0, "y": 1}}
    if draw(st.integers(0, 5)) == 0:
        node["disabled"] = True
    if draw(st.integers(0, 5)) == 0:
        node["retry"] = {"attempts": draw(st.integers(1, 10))}
    if draw(st.integers(0, 5)) == 0:
        node["onInterrupted"] = draw(st.sampled_from(["rerun", "fail"]))
    match draw(st.sampled_from(["", "", "continue", "fallback", *(["goto"] if later else [])])):
        case "goto":
            node["onError"] = {"strategy": "goto", "gotoNode": draw(st.sampled_from(later))}
        case "fallback":
            node["onError"] = {"strategy": "fallback", "fallbackValue": draw(SCALARS)}
        case "continue":
            node["onError"] = {"strategy": "continue"}
    return node


def _loops(references: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    conditions = st.sampled_from(["loop.index < 2", "{{loop.index}} < {{inputs.x}}", "at < 1 && n0.a"])
    return st.one_of(
        st.fixed_dictionaries({"loopType": st.sampled_from(["count", "for"]), "count": st.integers(0, 3) | references}),
        st.fixed_dictionaries(
            {"arrayPath": references | st.sampled_from(["n0.rows", "loop.item", ["{{n1}}", 2]])},
            optional={"itemVariable": st.just("each"), "indexVariable": st.just("at")},
        ),
        st.fixed_dictionaries({"loopType": st.sampled_from(["while", "doWhile"]), "condition": conditions}),
    )


def plans(*, max_nodes: int = 12, containers: bool = False) -> st.SearchStrategy[Plan]:
    """Plans of such definitions."""
    return definitions(max_nodes=max_nodes, containers=containers).map(
        lambda payload: build_plan(parse_definition(payload), catalogue=graphs.catalogue)
    )
