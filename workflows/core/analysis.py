"""What the rules and the plan both need to know of a definition, found once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from handlers.registry import NodeType
from workflows.core.ancestry import Ancestry, trace
from workflows.core.closest import Proposals
from workflows.core.cycles import Cycle, find_cycles
from workflows.core.definition import Definition, Node
from workflows.core.expressions import Expression, Reference
from workflows.core.handles import ERROR_HANDLE, Wire, read_edges
from workflows.core.loops import Bodies, find_bodies
from workflows.core.mentions import Mention, find_mentions
from workflows.core.names import Names, collect_names
from workflows.core.paths import Paths, find_paths
from workflows.core.plan import OnErrorStrategy

_TRIGGER = "trigger"  # the node type; a run may start at any root of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    definition: Definition  # with what node types imply written out
    catalogue: Mapping[str, NodeType]
    types: Mapping[str, NodeType]  # by node id; nodes of unknown type are not in it
    mentions: Mapping[str, tuple[Mention, ...]]  # by node id; of nodes of known type
    names: Names
    # The edges between nodes that are there, gotos last. Without those that leave a container by an unknown handle,
    # which may have been meant for the body or for the way out.
    wires: tuple[Wire, ...]
    bodies: Bodies
    paths: Paths
    cycles: tuple[Cycle, ...]  # of the edges that are drawn, inside one scope
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

    def around(self, node_id: str, *, deferred: bool) -> tuple[str, ...]:
        """The containers in whose context a field is read, innermost first; a *deferred* one, the node's own too."""
        return (*([node_id] if deferred and node_id in self.names.contexts else []), *self.bodies.around(node_id))

    def lacks_body(self, node_id: str) -> bool:
        """Whether a node is a container that runs nothing."""
        is_container = node_id in self.types and self.types[node_id].container is not None
        return is_container and node_id not in self.bodies.open


def analyse(definition: Definition, catalogue: Mapping[str, NodeType]) -> Analysis:
    """The analysis of *definition*, whatever is wrong with it: what cannot be said is left out, and so are notes."""
    definition = _without_notes(definition, catalogue)
    types = {node.id: catalogue[node.type] for node in definition.nodes.values() if node.type in catalogue}
    definition = _written_out(definition, types)
    nodes = definition.nodes
    gotos = _undrawn_error_edges(definition)
    all_wires = [*read_edges(definition, types, gotos=gotos)]
    wires = [wire for wire in all_wires if wire.type is not None or not _is_container(wire.source, types)]
    bodies = find_bodies(
        nodes,
        pairs=[(wire.source, wire.target) for wire in wires if wire.drawn is not None and not wire.opens],
        openings=[(wire.source, wire.target) for wire in wires if wire.opens],
        gotos=gotos.items(),
    )
    inside = [wire for wire in wires if not wire.opens and bodies.is_inside(wire.source, wire.target)]
    drawn = [(wire.source, wire.target) for wire in inside if wire.drawn is not None]
    pairs = [(wire.source, wire.target) for wire in inside]
    knot = {node: index for index, cycle in enumerate(find_cycles(nodes, pairs)) for node in cycle.members}
    return Analysis(
        definition=definition,
        catalogue=catalogue,
        types=types,
        mentions={node_id: _mentions(nodes[node_id], types[node_id]) for node_id in types},
        names=collect_names(definition, types),
        wires=tuple(wires),
        bodies=bodies,
        paths=find_paths(
            nodes,
            [
                (wire.source, wire.target)
                for wire in all_wires
                if wire.opens or not bodies.leads_back(wire.source, wire.target)
            ],
            entry_point=definition.entry_point,
            inputs={node_id for node_id, node_type in types.items() if node_type.source},
            triggers={node_id for node_id, node_type in types.items() if node_type.name == _TRIGGER},
        ),
        cycles=find_cycles(nodes, drawn),
        circling_gotos=tuple(node for node, target in gotos.items() if node in knot and knot[node] == knot.get(target)),
        ancestry=trace(bodies.parents, pairs),
    )


def _without_notes(definition: Definition, catalogue: Mapping[str, NodeType]) -> Definition:
    """Without the nodes that are drawn for people: a note beside a drawing would be a second place to start at."""
    nodes = definition.nodes
    drawn_to = {end for edge in definition.edges for end in (edge.source, edge.target)}
    led_to = drawn_to | {node.on_error.goto for node in nodes.values()} | {definition.entry_point}
    notes = {node.id for node in nodes.values() if node.type in catalogue and catalogue[node.type].is_note} - led_to
    return replace(definition, nodes={name: node for name, node in nodes.items() if name not in notes})


def _written_out(definition: Definition, types: Mapping[str, NodeType]) -> Definition:
    nodes = dict(definition.nodes)
    for node_id, node_type in types.items():
        node = nodes[node_id]
        if implied := node_type.handler.implied(node.type, node.config):
            nodes[node_id] = replace(node, config={**node.config, **implied})
    return replace(definition, nodes=nodes)


def _undrawn_error_edges(definition: Definition) -> dict[str, str]:
    """Each `onError: goto` whose target is there. An error edge that is drawn comes before `onError`."""
    taken = {edge.source for edge in definition.edges if edge.handle == ERROR_HANDLE}
    gotos: dict[str, str] = {}
    for node in definition.nodes.values():
        target = node.on_error.goto if node.on_error.strategy is OnErrorStrategy.GOTO else None
        if target is not None and target in definition.nodes and node.id not in taken:
            gotos[node.id] = target
    return gotos


def _is_container(node_id: str, types: Mapping[str, NodeType]) -> bool:
    return node_id in types and types[node_id].container is not None


def _mentions(node: Node, node_type: NodeType) -> tuple[Mention, ...]:
    return tuple(find_mentions(node.config, node_type.handler.Config.field_kinds()))
