"""Rules about the drawing: ids, edges, handles, where it begins, that it goes forward."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from workflows.core.analysis import Analysis
from workflows.core.definition import Edge
from workflows.core.errors import Issue, Severity
from workflows.core.handles import read_handle
from workflows.core.plan import OnErrorStrategy

# Scopes and references are paths of ids.
_NODE_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,127}", re.ASCII)
_LISTED: Final = 10  # names in a message


def check_nodes(analysis: Analysis) -> Iterator[Issue]:
    """NO_NODES, INVALID_NODE_ID."""
    if not analysis.definition.nodes:
        yield Issue(code="NO_NODES", message="the workflow has no nodes", field="nodes")
    for node_id in analysis.definition.nodes:
        if not _NODE_ID.fullmatch(node_id):
            yield Issue(
                code="INVALID_NODE_ID",
                message=f"{node_id!r} is no node id: a letter or _, then letters, digits, _ or -, 128 at most",
                node_id=node_id,
                suggestion=_mended_id(node_id),
            )


def check_edges(analysis: Analysis) -> Iterator[Issue]:
    """INVALID_EDGE_SOURCE, INVALID_EDGE_TARGET, UNKNOWN_HANDLE."""
    nodes = analysis.definition.nodes
    for edge in analysis.definition.edges:
        for end, node_id, verb, code in (
            ("source", edge.source, "starts at", "INVALID_EDGE_SOURCE"),
            ("target", edge.target, "leads to", "INVALID_EDGE_TARGET"),
        ):
            if node_id not in nodes:
                yield Issue(
                    code=code,
                    message=f"edge {edge.id} {verb} {node_id!r}, which is no node",
                    edge_id=edge.id,
                    field=end,
                    suggestion=analysis.proposals.closest(node_id, nodes, among="nodes"),
                )
        if edge.source in analysis.types:
            yield from _check_handle(analysis, edge)


def check_start(analysis: Analysis) -> Iterator[Issue]:
    """MISSING_ENTRY_POINT, UNREACHABLE_NODE. Nodes that have no root go round in circles, which is told elsewhere."""
    definition, paths = analysis.definition, analysis.paths
    if paths.entry is not None and (container := analysis.bodies.parents[paths.entry]) is not None:
        yield Issue(
            code="MISSING_ENTRY_POINT",
            message=f"the entry point {paths.entry} is in the body of {container}: a run cannot start there",
            field="entryPoint",
            suggestion=analysis.bodies.path(container)[0],
        )
    elif paths.entry is not None:
        for node_id in definition.nodes:
            if node_id not in paths.visited:
                yield Issue(
                    code="UNREACHABLE_NODE",
                    severity=Severity.WARNING,
                    message=f"{node_id} is not reached from {paths.entry}: it never runs",
                    node_id=node_id,
                )
    elif definition.entry_point is not None and definition.nodes:
        yield Issue(
            code="MISSING_ENTRY_POINT",
            message=f"the entry point {definition.entry_point!r} is no node",
            field="entryPoint",
            suggestion=analysis.proposals.closest(definition.entry_point, definition.nodes, among="nodes"),
        )
    elif paths.roots:
        roots = [root for root in paths.roots if root not in analysis.types or not analysis.types[root].source]
        more = f" and {len(roots) - _LISTED} more" if len(roots) > _LISTED else ""
        yield Issue(
            code="MISSING_ENTRY_POINT",
            message=f"a run could start at any of {', '.join(roots[:_LISTED])}{more}: name one of them as entryPoint",
            field="entryPoint",
            suggestion=roots[0],
        )


def check_cycles(analysis: Analysis) -> Iterator[Issue]:
    """CIRCULAR_DEPENDENCY."""
    for cycle in analysis.cycles:
        mend = "add a loop node and draw what is to be repeated from its body handle"
        for source, target in pairwise(cycle.spelled):
            if source in analysis.names.contexts:
                mend = f"draw the edge from {source} to {target} by the handle body of {source}"
        yield Issue(
            code="CIRCULAR_DEPENDENCY",
            message=f"{' → '.join(cycle.spelled)} is a cycle; only the body of a loop can repeat",
            node_id=cycle.spelled[0],
            suggestion=mend,
        )


def check_gotos(analysis: Analysis) -> Iterator[Issue]:
    """INVALID_GOTO."""
    nodes, bodies = analysis.definition.nodes, analysis.bodies
    gotos = [(wire.source, wire.target) for wire in analysis.wires if wire.drawn is None]
    crossing = {source for source, target in gotos if bodies.crosses(source, target, opens=False)}
    for node in nodes.values():
        if node.on_error.strategy is not OnErrorStrategy.GOTO:
            continue
        target = node.on_error.goto
        if target is None or target not in nodes:
            what = "names no node" if target is None else f"names {target!r}, which is no node"
            meant = analysis.proposals.closest(target, nodes, among="nodes") if target else None
        elif node.id in analysis.circling_gotos:
            what, meant = f"leads to {target}, from where the run comes back to {node.id}", None
        elif node.id in crossing:
            here, there = (bodies.parents[end] for end in (node.id, target))
            where = f"out of the body of {here}" if there is None else f"into the body of {there}"
            what, meant = f"leads to {target}, {where}", None
        else:
            continue
        yield Issue(
            code="INVALID_GOTO",
            message=f"{node.id}: onError goto {what}",
            node_id=node.id,
            field="onError.gotoNode",
            suggestion=meant,
        )


def _check_handle(analysis: Analysis, edge: Edge) -> Iterator[Issue]:
    node_type, config = analysis.types[edge.source], analysis.definition.nodes[edge.source].config
    if read_handle(edge.handle, node_type, config) is None:
        handles = node_type.handles(config)
        yield Issue(
            code="UNKNOWN_HANDLE",
            message=f"{edge.source} has no handle {edge.handle!r}; it has {', '.join(handles)}",
            node_id=edge.source,
            edge_id=edge.id,
            field="sourceHandle",
            suggestion=analysis.proposals.closest(str(edge.handle), handles, among=f"handles of {edge.source}"),
        )


def _mended_id(node_id: str) -> str | None:
    mended = re.sub(r"[^A-Za-z0-9_-]+", "_", node_id)[:128]
    return mended if _NODE_ID.fullmatch(mended) else None
