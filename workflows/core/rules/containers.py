"""Rules about containers: that bodies are apart, not too deep, and told what a container can do."""

from __future__ import annotations

from collections.abc import Iterator

from handlers import Effect
from workflows.core.analysis import Analysis
from workflows.core.errors import Issue, Severity
from workflows.core.handles import Wire
from workflows.core.loops import MAX_DEPTH, Bodies
from workflows.core.plan import OnInterrupted
from workflows.core.rules.variables import branching, variable_set_by


def check_bodies(analysis: Analysis) -> Iterator[Issue]:
    """CROSSES_CONTAINER, LIMIT_EXCEEDED, LOOP_NO_BODY."""
    bodies = analysis.bodies
    for wire in analysis.wires:
        if wire.drawn is not None and bodies.crosses(wire.source, wire.target, opens=wire.opens):
            yield _crossing(bodies, wire, wire.drawn.id)
    for node_id in analysis.names.contexts:
        if node_id in bodies.open and bodies.depths[node_id] == MAX_DEPTH:
            yield Issue(
                code="LIMIT_EXCEEDED",
                message=f"{node_id} opens a body {MAX_DEPTH + 1} containers deep; {MAX_DEPTH} is the most",
                node_id=node_id,
                suggestion="move a part of it into a workflow of its own and call that",
            )
        if analysis.lacks_body(node_id):
            yield Issue(
                code="LOOP_NO_BODY",
                severity=Severity.WARNING,
                message=f"{node_id} has no body: it runs nothing and goes on",
                node_id=node_id,
                suggestion=f"draw what is to be repeated from the handle body of {node_id}",
            )


def check_parallel_writes(analysis: Analysis) -> Iterator[Issue]:
    """PARALLEL_VARIABLE_WRITE: which branch sets a variable last depends on how fast it is."""
    for node_id in analysis.types:
        if (variable := variable_set_by(analysis, node_id)) is None:
            continue
        if (parallel := branching(analysis, node_id)) is not None:
            yield Issue(
                code="PARALLEL_VARIABLE_WRITE",
                message=f"{node_id} sets {variable} in every branch of {parallel}: any of them may win",
                node_id=node_id,
                suggestion=f"use increment or append, or read {parallel}.results after it",
            )


def check_ignored(analysis: Analysis) -> Iterator[Issue]:
    """IGNORED_SETTING: a policy for attempts where there is one attempt only, or none that could do harm."""
    for node_id, node_type in analysis.types.items():
        node = analysis.definition.nodes[node_id]
        inner, is_pure = "the nodes in it have their own", node_type.effect is Effect.PURE
        has_nodes = node_type.container is not None or node_type.delegates
        lasts = node_type.container is not None or node_type.pauses
        own = "it is asked once and waits" if node_type.pauses else inner
        harmless = inner if has_nodes else "it does nothing outside, and is simply run again"
        for field, is_given, means_nothing, why in (
            ("retry", node.retry is not None, not node_type.retries, own),
            ("timeoutMs", node.timeout_ms is not None, lasts, own),
            ("onInterrupted", node.on_interrupted is not OnInterrupted.RERUN, is_pure, harmless),
        ):
            if is_given and means_nothing:
                yield Issue(
                    code="IGNORED_SETTING",
                    severity=Severity.WARNING,
                    message=f"{node_id}: {field} has no effect on a {node_type.name}; {why}",
                    node_id=node_id,
                    field=field,
                )


def _crossing(bodies: Bodies, wire: Wire, edge_id: str) -> Issue:
    source, target = wire.source, wire.target
    here, there = bodies.parents[source], bodies.parents[target]
    if wire.opens:
        where = "outside of any body" if there is None else f"the body of {there}"
        what = f"takes {target} into the body of {source}, but {target} is reached from {where} too"
        mend = f"give {source} a body of its own, or draw the edge from another handle"
    elif there is not None and there not in bodies.around(source):
        what = f"leads from outside into the body of {there}"
        mend = f"lead it to {there} itself, whose handle body is the only way in"
    else:
        what = f"leads out of the body of {here}"
        mend = f"draw what comes after the body from {here} itself, by its handle done"
    return Issue(
        code="CROSSES_CONTAINER",
        message=f"the edge {source} → {target} {what}",
        node_id=source,
        edge_id=edge_id,
        suggestion=mend,
    )
