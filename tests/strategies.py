"""What hypothesis draws: JSON, expressions, definitions that go forward, and their plans."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests import graphs
from workflows.core import Plan, build_plan, parse_definition

# What the database stores: no NUL, no half characters.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT

HANDLES = {
    "conditional": ["true", "false", "output-true", "error", None],
    "switch": ["a", "b", "default", "error", None],
}
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
def definitions(draw: st.DrawFn, *, max_nodes: int = 12) -> dict[str, Any]:
    """Valid definitions of the types in `tests.graphs`, with every feature that acyclic workflows have."""
    count = draw(st.integers(1, max_nodes))
    ids = [f"n{index}" for index in range(count)]
    kinds = draw(st.lists(st.sampled_from([*graphs.catalogue]), min_size=count, max_size=count))
    nodes = {
        node_id: draw(_nodes(kind, ids[index + 1 :]))
        for index, (node_id, kind) in enumerate(zip(ids, kinds, strict=True))
    }
    edges: list[dict[str, Any]] = []
    for index in range(1, count):
        for source in draw(st.lists(st.integers(0, index - 1), max_size=3)):
            handle = draw(st.sampled_from(HANDLES.get(kinds[source], [None, "output", "error"])))
            edges.append({"id": f"e{len(edges)}", "source": ids[source], "target": ids[index], "sourceHandle": handle})
    return {
        "name": "drawn",
        "nodes": nodes,
        "edges": draw(st.permutations(edges)),
        "entryPoint": "n0",
        "variables": draw(st.dictionaries(st.sampled_from(["v0", "v1"]), SCALARS)),
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


@st.composite
def _nodes(draw: st.DrawFn, kind: str, later: list[str]) -> dict[str, Any]:
    references = st.sampled_from(NAMES).map("{{{{{}}}}}".format)
    values = references | references.map("a {} b".format) | SCALARS.filter(lambda value: "{{" not in str(value))
    config: dict[str, Any] = {
        "conditional": {"expression": draw(st.sampled_from(NAMES))},
        "switch": {"expression": draw(references), "cases": [{"value": "a"}, {"value": "b"}]},
        "setVariable": {
            "name": draw(st.sampled_from(["v0", "v1"])),
            draw(st.sampled_from(["value", "append"])): draw(values),
        },
        "input": {"inputName": draw(st.sampled_from(["x", "y"]))},
        "output": {"outputName": "out", "value": draw(values)},
        "loop": {"loopType": "count", "count": 2},
        "parallel": {"mode": "count", "count": 2},
    }.get(kind, {"value": draw(values)})
    if draw(st.booleans()):
        config["outputVariable"] = draw(st.sampled_from(["made", "x", "n1"]))
    node: dict[str, Any] = {"type": kind, "name": kind, "config": config, "position": {"x": 0, "y": 1}}
    if draw(st.integers(0, 5)) == 0:
        node["disabled"] = True
    if draw(st.integers(0, 5)) == 0:
        node["retry"] = {"attempts": draw(st.integers(1, 10))}
    match draw(st.sampled_from(["", "", "continue", "fallback", *(["goto"] if later else [])])):
        case "goto":
            node["onError"] = {"strategy": "goto", "gotoNode": draw(st.sampled_from(later))}
        case "fallback":
            node["onError"] = {"strategy": "fallback", "fallbackValue": draw(SCALARS)}
        case "continue":
            node["onError"] = {"strategy": "continue"}
    return node


def plans(*, max_nodes: int = 12) -> st.SearchStrategy[Plan]:
    """Plans of such definitions."""
    return definitions(max_nodes=max_nodes).map(
        lambda payload: build_plan(parse_definition(payload), catalogue=graphs.catalogue)
    )
