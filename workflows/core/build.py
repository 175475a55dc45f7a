"""Definition → plan: the four stages in order. The first two are part of the analysis, which the rules need as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handlers import catalogue as built_in
from handlers.base import FieldKind
from handlers.registry import NodeType
from workflows.core.analysis import Analysis, analyse
from workflows.core.definition import Definition
from workflows.core.edges import Reading, plan_edges
from workflows.core.errors import InvalidDefinition, Issue, Severity
from workflows.core.nodes import plan_nodes
from workflows.core.parsing import read_definition
from workflows.core.plan import Plan
from workflows.core.rules import check, judge


def build_plan(definition: Definition, *, catalogue: Mapping[str, NodeType] = built_in) -> Plan:
    """The plan of *definition*. Raises InvalidDefinition with all issues when one of them is an error."""
    analysis = analyse(definition, catalogue)
    issues = judge(analysis)
    paths, ancestry = analysis.paths, analysis.ancestry
    if paths.entry is None or ancestry is None or any(issue.severity is Severity.ERROR for issue in issues):
        raise InvalidDefinition(issues)
    order = [node_id for node_id in ancestry.order if node_id in paths.reached]
    parents = analysis.bodies.parents
    nodes = plan_nodes(analysis.definition.nodes, analysis.types, order=order, roots=paths.roots, parents=parents)
    readings = [_reading(analysis, node.id, deferred=deferred) for node in nodes for deferred in (False, True)]
    wiring = plan_edges(analysis.wires, readings, order=order, parents=parents, names=analysis.names, ancestry=ancestry)
    return Plan(
        nodes=tuple(
            replace(node, reads=reads, deferred_reads=deferred_reads)
            for node, reads, deferred_reads in zip(nodes, wiring.reads[::2], wiring.reads[1::2], strict=True)
        ),
        edges=wiring.edges,
        entry=paths.entry,
        variables=definition.variables,
        timeout_ms=definition.settings.timeout_ms,
        max_concurrent_nodes=definition.settings.max_concurrent_nodes,
        on_failure=definition.settings.on_failure,
    )


def _reading(analysis: Analysis, node_id: str, *, deferred: bool) -> Reading:
    return Reading(
        node=node_id,
        around=analysis.around(node_id, deferred=deferred),
        references=[
            reference
            for mention, reference in analysis.references(node_id)
            if (mention.kind is FieldKind.DEFERRED) is deferred
        ],
    )


def validate(payload: Any, *, catalogue: Mapping[str, NodeType] = built_in) -> list[Issue]:
    """All issues of a definition as it came in, errors first: what is wrong with its shape and what with the rest."""
    reading = read_definition(payload)
    if reading.definition is None:
        return [*reading.issues]
    judged = check(reading.definition, catalogue=catalogue)
    return [*reading.issues, *(issue for issue in judged if issue.node_id not in reading.broken)]
