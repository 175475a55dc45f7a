"""Rules about names: that what is read is defined and comes first, that what is written is written in some order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from handlers.base import ContainerKind, FieldKind
from workflows.core.analysis import Analysis
from workflows.core.ancestry import Ancestry
from workflows.core.contexts import KINDS
from workflows.core.errors import Issue, Severity
from workflows.core.exclusion import Exclusion, find_exclusion
from workflows.core.expressions import Reference
from workflows.core.loops import Bodies
from workflows.core.plan import Source

# Keys of a node that sets a variable; what they do comes out the same in any order.
_ATOMIC_WRITES: Final = frozenset({"increment", "append"})


def check_names(analysis: Analysis) -> Iterator[Issue]:
    """UNDEFINED_VARIABLE: a name that nothing defines, or that means a node which does not come before its reader."""
    for node_id in analysis.mentions:
        told: set[tuple[str, str]] = set()
        for mention, reference in analysis.references(node_id):
            around = analysis.around(node_id, deferred=mention.kind is FieldKind.DEFERRED)
            if analysis.names.in_context(reference.root, around) is not None:
                continue
            complaint = _undefined(analysis, node_id, reference) or _too_early(analysis, node_id, reference)
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
    """UNORDERED_VARIABLE_WRITE: of two nodes that may both run, either may be the last to set a variable.

    As far as nodes outside are concerned, what a body does is done by its container.
    """
    ancestry = analysis.ancestry
    if ancestry is None:
        return
    writers: defaultdict[str, list[str]] = defaultdict(list)
    for node_id in ancestry.order:
        if (variable := variable_set_by(analysis, node_id)) is not None and branching(analysis, node_id) is None:
            writers[variable].append(node_id)
    contested = {variable: nodes for variable, nodes in writers.items() if len(nodes) > 1}
    if not contested:
        return
    exclusion = find_exclusion(analysis, ancestry)
    for variable, nodes in contested.items():
        for places in _by_scope(nodes, analysis.bodies):
            for rival, node_id in _races(places, ancestry, exclusion):
                yield Issue(
                    code="UNORDERED_VARIABLE_WRITE",
                    severity=Severity.WARNING,
                    message=f"{rival} and {node_id} both set {variable}, and neither comes first: either may win",
                    node_id=node_id,
                    suggestion="draw an edge from one to the other, or use increment or append",
                )


def _by_scope(writers: Iterable[str], bodies: Bodies) -> Collection[Mapping[str, str]]:
    """Of each scope, the nodes that write, or whose bodies do → the first of *writers* that is there."""
    scopes: dict[str | None, dict[str, str]] = {}
    for writer in writers:
        for place in (writer, *bodies.around(writer)):
            scopes.setdefault(bodies.parents[place], {}).setdefault(place, writer)
    return scopes.values()


def _races(places: Mapping[str, str], ancestry: Ancestry, exclusion: Exclusion) -> Iterator[tuple[str, str]]:
    """For each writer after the first, the first one that it has no order with."""
    earlier: list[str] = []
    bits = 0  # of them
    for place in sorted(places, key=ancestry.rank):
        if bits & ~ancestry.upstream[place]:
            unordered = (other for other in earlier if not ancestry.is_upstream(other, of=place))
            if (rival := next((other for other in unordered if not exclusion.between(other, place)), None)) is not None:
                yield places[rival], places[place]
        earlier.append(place)
        bits |= ancestry.bits[place]


def variable_set_by(analysis: Analysis, node_id: str) -> str | None:
    """The variable that a node sets by value. What is disabled sets none, nor does what is in its body."""
    nodes = analysis.definition.nodes
    if node_id not in analysis.types or _ATOMIC_WRITES & nodes[node_id].config.keys():
        return None
    if any(nodes[place].disabled for place in analysis.bodies.path(node_id)):
        return None
    return analysis.types[node_id].handler.writes(nodes[node_id].config)


def branching(analysis: Analysis, node_id: str) -> str | None:
    """The innermost parallel around a node, whose branches all have it."""
    contexts, around = analysis.names.contexts, analysis.bodies.around(node_id)
    return next((container for container in around if contexts[container].kind is ContainerKind.PARALLEL), None)


def _undefined(analysis: Analysis, node_id: str, reference: Reference) -> tuple[str, str | None] | None:
    """The complaint and what may have been meant."""
    names = analysis.names
    if reference.root == "var" and len(reference.parts) > 1:
        name = str(reference.parts[1])
        if name not in names.variables:
            meant = analysis.proposals.closest(name, names.variables, among="variables")
            return f"there is no workflow variable {name!r}", meant and f"var.{meant}"
    elif reference.root in names.known:
        return None
    elif reference.root in KINDS:
        return f"{node_id} is in no {reference.root}, so {reference} means nothing", None
    elif (owner := names.owners.get(reference.root)) is not None:
        return f"{reference.root!r} means something in the body of {owner} only", None
    else:
        meant = analysis.proposals.closest(reference.root, names.known, among="names")
        return f"nothing defines {reference.root!r}; if it is an input of the run, write inputs.{reference.root}", meant
    return None


def _too_early(analysis: Analysis, node_id: str, reference: Reference) -> tuple[str, str | None] | None:
    if analysis.ancestry is None:
        return None
    binding = analysis.names.bind(reference.root, node=node_id, around=(), ancestry=analysis.ancestry)
    if binding.source is not Source.ABSENT:
        return None
    owner = next(iter(analysis.names.outputs.get(reference.root, ())), reference.root)
    if (container := _closed_container(analysis, owner, node_id)) is not None:
        return (
            f"{owner} is in the body of {container}, which {node_id} cannot see into, so {reference} is always empty",
            f"{container}.results",
        )
    return (
        f"{owner} does not come before {node_id}, so {reference} is always empty",
        f"draw a path from {owner} to {node_id}",
    )


def _closed_container(analysis: Analysis, owner: str, node_id: str) -> str | None:
    """The outermost container around *owner* that is not around *node_id*."""
    seen = analysis.bodies.path(node_id)
    return next((container for container in analysis.bodies.path(owner)[:-1] if container not in seen), None)
