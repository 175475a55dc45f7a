"""What the rules and the plan both need to know of a definition, found once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.registry import NodeType
from workflows.core.ancestry import Ancestry, trace
from workflows.core.closest import Proposals
from workflows.core.cycles import Cycle, find_cycles
from workflows.core.definition import Definition, Node
from workflows.core.expressions import Expression, Reference
from workflows.core.handles import ERROR_HANDLE
from workflows.core.mentions import Mention, find_mentions
from workflows.core.names import Names, collect_names
from workflows.core.paths import Paths, find_paths
from workflows.core.plan import OnErrorStrategy

_TRIGGER = "trigger"  # the node type; a run may start at any root of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    definition: Definition
    catalogue: Mapping[str, NodeType]
    types: Mapping[str, NodeType]  # by node id; nodes of unknown type are not in it
    mentions: Mapping[str, tuple[Mention, ...]]  # by node id; of nodes of known type
    names: Names
    gotos: Mapping[str, str]  # error edges that are not drawn: node → target, both there
    paths: Paths
    cycles: tuple[Cycle, ...]  # of the edges that are drawn
    circling_gotos: tuple[str, ...]  # nodes whose goto leads back to them
    ancestry: Ancestry | None  # None while anything goes round in circles
    proposals: Proposals = field(default_factory=Proposals)  # kept here so that all rules share one limit

    def references(self, node_id: str) -> list[tuple[Mention, Reference]]:
        """What the configuration of a node refers to, beside where it does so."""
        return [
            (mention, reference)
            for mention in self.mentions.get(node_id, ())
            if isinstance(mention.parsed, Expression)
            for reference in mention.parsed.references
        ]


def analyse(definition: Definition, catalogue: Mapping[str, NodeType]) -> Analysis:
    """The analysis of *definition*, whatever is wrong with it: what cannot be said is left out."""
    nodes = definition.nodes
    types = {node.id: catalogue[node.type] for node in nodes.values() if node.type in catalogue}
    drawn = [(edge.source, edge.target) for edge in definition.edges if edge.source in nodes and edge.target in nodes]
    gotos = _undrawn_error_edges(definition)
    pairs = [*drawn, *gotos.items()]
    knot = {node: index for index, cycle in enumerate(find_cycles(nodes, pairs)) for node in cycle.members}
    return Analysis(
        definition=definition,
        catalogue=catalogue,
        types=types,
        mentions={node_id: _mentions(nodes[node_id], types[node_id]) for node_id in types},
        names=collect_names(definition, types),
        gotos=gotos,
        paths=find_paths(
            nodes,
            pairs,
            entry_point=definition.entry_point,
            inputs={node_id for node_id, node_type in types.items() if node_type.source},
            triggers={node_id for node_id, node_type in types.items() if node_type.name == _TRIGGER},
        ),
        cycles=find_cycles(nodes, drawn),
        circling_gotos=tuple(node for node, target in gotos.items() if node in knot and knot[node] == knot.get(target)),
        ancestry=trace(nodes, pairs),
    )


def _undrawn_error_edges(definition: Definition) -> dict[str, str]:
    """Each `onError: goto` whose target is there. An error edge that is drawn comes before `onError`."""
    taken = {edge.source for edge in definition.edges if edge.handle == ERROR_HANDLE}
    gotos: dict[str, str] = {}
    for node in definition.nodes.values():
        target = node.on_error.goto if node.on_error.strategy is OnErrorStrategy.GOTO else None
        if target is not None and target in definition.nodes and node.id not in taken:
            gotos[node.id] = target
    return gotos


def _mentions(node: Node, node_type: NodeType) -> tuple[Mention, ...]:
    return tuple(find_mentions(node.config, node_type.handler.Config.field_kinds()))
