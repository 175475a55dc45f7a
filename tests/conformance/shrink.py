"""A failing workflow made small: whatever can be left out without its failing otherwise is left out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Definition: TypeAlias = dict[str, Any]


def shrink(definition: Definition, fails: Callable[[Definition], bool]) -> Definition:
    """The smallest that is found by leaving out one thing after the other, while *fails* still says yes."""
    again = True
    while again:
        again = False
        for smaller in _smaller(definition):
            if fails(smaller):
                definition, again = smaller, True
                break
    return definition


def _smaller(definition: Definition) -> Iterator[Definition]:
    """The largest steps first."""
    for node_id in definition["nodes"]:
        yield _without(definition, _behind(definition, node_id))
    for node_id in definition["nodes"]:
        yield _without(definition, {node_id})
    for node_id in definition["nodes"]:
        yield _spliced(definition, node_id)
    for place in range(len(definition["edges"])):
        smaller = copy.deepcopy(definition)
        del smaller["edges"][place]
        yield smaller
    for key in ("settings", "variables"):
        for name in definition.get(key) or {}:
            smaller = copy.deepcopy(definition)
            del smaller[key][name]
            yield smaller
    for node_id, node in definition["nodes"].items():
        yield from _plainer(definition, node_id, node)


def _plainer(definition: Definition, node_id: str, node: dict[str, Any]) -> Iterator[Definition]:
    for key in ("onError", "retry", "disabled"):
        if key in node:
            smaller = copy.deepcopy(definition)
            del smaller["nodes"][node_id][key]
            yield smaller
    for key in node["config"]:
        smaller = copy.deepcopy(definition)
        del smaller["nodes"][node_id]["config"][key]
        yield smaller
    if node["type"] in ("test.sleep", "test.fail", "test.fail_n", "conditional", "switch", "setVariable"):
        smaller = copy.deepcopy(definition)
        smaller["nodes"][node_id] |= {"type": "test.echo", "config": {}}
        yield smaller


def _behind(definition: Definition, node_id: str) -> set[str]:
    found, todo = set[str](), [node_id]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [edge["target"] for edge in definition["edges"] if edge["source"] == name]
    return found


def _without(definition: Definition, gone: set[str]) -> Definition:
    smaller = copy.deepcopy(definition)
    smaller["nodes"] = {name: node for name, node in smaller["nodes"].items() if name not in gone}
    smaller["edges"] = [edge for edge in smaller["edges"] if not gone & {edge["source"], edge["target"]}]
    return smaller


def _spliced(definition: Definition, node_id: str) -> Definition:
    """Without the node, whose predecessors lead to its successors."""
    edges = definition["edges"]
    into = [edge for edge in edges if edge["target"] == node_id]
    out = [edge for edge in edges if edge["source"] == node_id]
    smaller = _without(definition, {node_id})
    for before in into:
        for after in out:
            joined = {**before, "id": f"{before['id']}{after['id']}", "target": after["target"]}
            if joined["source"] != joined["target"]:
                smaller["edges"].append(joined)
    return smaller
