"""Definition → plan: the four stages in order. The first two are part of the analysis, which the rules need as well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handlers import catalogue as built_in
from handlers.registry import NodeType
from workflows.core.analysis import analyse
from workflows.core.definition import Definition
from workflows.core.edges import plan_edges
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
    nodes = plan_nodes(definition.nodes, analysis.types, order=order, roots=paths.roots)
    wiring = plan_edges(
        definition,
        analysis.types,
        gotos=analysis.gotos,
        mentioned={node.id: {reference.root for _, reference in analysis.references(node.id)} for node in nodes},
        names=analysis.names,
        ancestry=ancestry,
    )
    return Plan(
        nodes=tuple(replace(node, reads=wiring.reads[node.id]) for node in nodes),
        edges=wiring.edges,
        entry=paths.entry,
        variables=definition.variables,
        timeout_ms=definition.settings.timeout_ms,
        max_concurrent_nodes=definition.settings.max_concurrent_nodes,
        on_failure=definition.settings.on_failure,
    )


def validate(payload: Any, *, catalogue: Mapping[str, NodeType] = built_in) -> list[Issue]:
    """All issues of a definition as it came in, errors first: what is wrong with its shape and what with the rest."""
    reading = read_definition(payload)
    if reading.definition is None:
        return [*reading.issues]
    judged = check(reading.definition, catalogue=catalogue)
    return [*reading.issues, *(issue for issue in judged if issue.node_id not in reading.broken)]
