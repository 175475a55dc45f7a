"""Rules about names: that what is read is defined and comes first, that what is written is written in some order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from workflows.core.analysis import Analysis
from workflows.core.errors import Issue, Severity
from workflows.core.exclusion import find_exclusion
from workflows.core.expressions import Reference
from workflows.core.plan import Source

# Keys of a node that sets a variable; what they do comes out the same in any order.
_ATOMIC_WRITES: Final = frozenset({"increment", "append"})


def check_names(analysis: Analysis) -> Iterator[Issue]:
    """UNDEFINED_VARIABLE: a name that nothing defines, or that means a node which does not come before its reader."""
    for node_id in analysis.mentions:
        told: set[tuple[str, str]] = set()
        for mention, reference in analysis.references(node_id):
            complaint = _undefined(analysis, reference) or _too_early(analysis, node_id, reference)
            if complaint is None or (mention.field, complaint[0]) in told:
                continue
            told.add((mention.field, complaint[0]))
            yield Issue(
                code="UNDEFINED_VARIABLE",
                severity=Severity.WARNING,
                message=f"{node_id}: {mention.field}: {complaint[0]}",
                node_id=node_id,
                field=mention.field,
                suggestion=complaint[1],
            )


def check_writes(analysis: Analysis) -> Iterator[Issue]:
    """UNORDERED_VARIABLE_WRITE: of two nodes that may both run, either may be the last to set a variable."""
    ancestry = analysis.ancestry
    if ancestry is None:
        return
    writers: defaultdict[str, list[str]] = defaultdict(list)
    for node_id in ancestry.order:
        if (variable := _variable_set_by(analysis, node_id)) is not None:
            writers[variable].append(node_id)
    contested = {variable: nodes for variable, nodes in writers.items() if len(nodes) > 1}
    if not contested:
        return
    exclusion = find_exclusion(analysis, ancestry)
    for variable, nodes in contested.items():
        for place, node_id in enumerate(nodes):
            rivals = (
                other
                for other in nodes[:place]
                if not ancestry.is_upstream(other, of=node_id) and not exclusion.between(other, node_id)
            )
            if (rival := next(rivals, None)) is not None:
                yield Issue(
                    code="UNORDERED_VARIABLE_WRITE",
                    severity=Severity.WARNING,
                    message=f"{rival} and {node_id} both set {variable}, and neither comes first: either may win",
                    node_id=node_id,
                    suggestion="draw an edge from one to the other, or use increment or append",
                )


def _undefined(analysis: Analysis, reference: Reference) -> tuple[str, str | None] | None:
    """The complaint and what may have been meant."""
    names = analysis.names
    if reference.root == "var" and len(reference.parts) > 1:
        name = str(reference.parts[1])
        if name not in names.variables:
            meant = analysis.proposals.closest(name, names.variables, among="variables")
            return f"there is no workflow variable {name!r}", meant and f"var.{meant}"
    elif reference.root not in names.known:
        meant = analysis.proposals.closest(reference.root, names.known, among="names")
        return f"nothing defines {reference.root!r}; if it is an input of the run, write inputs.{reference.root}", meant
    return None


def _too_early(analysis: Analysis, node_id: str, reference: Reference) -> tuple[str, str | None] | None:
    if analysis.ancestry is None:
        return None
    binding = analysis.names.bind(reference.root, node=node_id, ancestry=analysis.ancestry)
    if binding.source is not Source.ABSENT:
        return None
    owner = next(iter(analysis.names.outputs.get(reference.root, ())), reference.root)
    return (
        f"{owner} does not come before {node_id}, so {reference} is always empty",
        f"draw a path from {owner} to {node_id}",
    )


def _variable_set_by(analysis: Analysis, node_id: str) -> str | None:
    """The variable that a node sets by value. A disabled node sets none."""
    node = analysis.definition.nodes[node_id]
    if node.disabled or node_id not in analysis.types or _ATOMIC_WRITES & node.config.keys():
        return None
    return analysis.types[node_id].handler.writes(node.config)
