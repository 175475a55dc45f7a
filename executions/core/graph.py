"""A plan laid out for walking: the nodes of each body with the edges between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from executions.core.scopes import TOP, around, container_of
from workflows.core.plan import EdgeType, Plan, PlanNode

_WITHIN = (EdgeType.SUCCESS, EdgeType.PORT, EdgeType.ERROR)  # edges that joins count; the others cross a border


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """One end of an edge, seen from the other. Nodes are places in their body."""

    other: int
    type: EdgeType
    port: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What runs in one scope: the top level, or what a container repeats."""

    nodes: tuple[PlanNode, ...]  # in plan order
    position: Mapping[str, int]  # node id → place
    out: tuple[tuple[Arc, ...], ...]
    into: tuple[tuple[Arc, ...], ...]
    back_on_error: frozenset[int]  # nodes whose failure ends the iteration or branch, and nothing else

    @property
    def roots(self) -> list[int]:
        return [place for place, arcs in enumerate(self.into) if not arcs]

    def has_error_edge(self, place: int) -> bool:
        """Whether its failure is taken: by another node, or by the end of the body."""
        return place in self.back_on_error or any(arc.type is EdgeType.ERROR for arc in self.out[place])

    def follower(self, place: int) -> int | None:
        """The node that follows this one and no other, where nothing else follows it."""
        if len(self.out[place]) != 1:
            return None
        follower = self.out[place][0].other
        return follower if len(self.into[follower]) == 1 else None

    def reach(self, places: Iterable[int]) -> frozenset[int]:
        """These places and all that follow them."""
        return _reach(places, self.out)

    def upstream(self, place: int) -> frozenset[int]:
        """This place and all that lead to it."""
        return _reach([place], self.into)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A plan, body by body."""

    plan: Plan
    nodes: Mapping[str, PlanNode]  # by id, of all bodies
    bodies: Mapping[str, Body]  # by container; "" is the top level
    has_children: bool  # some node starts a run of its own

    @property
    def top(self) -> Body:
        return self.bodies[TOP]

    def node(self, node_id: str) -> PlanNode:
        return self.nodes[node_id]

    def body(self, scope: str) -> Body:
        """The body that *scope* is one run of."""
        return self.bodies[container_of(scope)]

    def home(self, node_id: str, scope: str) -> str:
        """The scope that holds the visit of *node_id* which a node in *scope* sees: its own, or one around it."""
        parent = self.nodes[node_id].parent or ""
        while container_of(scope) != parent:
            scope = around(scope)[0]
        return scope

    def has_error_edge(self, node_id: str) -> bool:
        body = self.bodies[self.nodes[node_id].parent or ""]
        return body.has_error_edge(body.position[node_id])

    def ports(self, node_id: str) -> set[str | None]:
        """The ports of a node that edges leave by."""
        body = self.bodies[self.nodes[node_id].parent or ""]
        return {arc.port for arc in body.out[body.position[node_id]]}

    def members(self, entry: str, until: str | None = None) -> frozenset[int]:
        """The top-level nodes that take part in a run from *entry*: what it reaches, and what the input kinds reach.

        With *until*, of these only that node and what leads to it.
        """
        top = self.top
        taking_part = top.reach([top.position[entry], *(at for at, node in enumerate(top.nodes) if node.source)])
        return taking_part if until is None else taking_part & top.upstream(top.position[until])

    def taking_part(self, entry: str, until: str | None = None) -> list[PlanNode]:
        """The nodes of such a run, in plan order, those in the bodies of its containers among them."""
        inside = {self.top.nodes[place].id for place in self.members(entry, until)}
        bodies = [container for container in inside if container in self.bodies]
        while bodies:
            body = {node.id for node in self.bodies[bodies.pop()].nodes}
            inside |= body
            bodies += [container for container in body if container in self.bodies]
        return [node for node in self.plan.nodes if node.id in inside]


def lay_out(plan: Plan) -> Graph:
    """The graph of a plan, in time proportional to its size."""
    members: dict[str, list[PlanNode]] = {TOP: []}
    for node in plan.nodes:
        members.setdefault(node.parent or TOP, []).append(node)
        if node.container is not None:
            members.setdefault(node.id, [])
    nodes = {node.id: node for node in plan.nodes}
    position = {node.id: place for body in members.values() for place, node in enumerate(body)}
    out: dict[str, list[Arc]] = {node.id: [] for node in plan.nodes}
    into: dict[str, list[Arc]] = {node.id: [] for node in plan.nodes}
    back = {edge.source for edge in plan.edges if edge.type is EdgeType.BACK and edge.port == EdgeType.ERROR.value}
    for edge in plan.edges:
        if edge.type in _WITHIN:
            out[edge.source].append(Arc(other=position[edge.target], type=edge.type, port=edge.port))
            into[edge.target].append(Arc(other=position[edge.source], type=edge.type, port=edge.port))
    return Graph(
        plan=plan,
        nodes=nodes,
        bodies={
            container: Body(
                nodes=tuple(body),
                position={node.id: place for place, node in enumerate(body)},
                out=tuple(tuple(out[node.id]) for node in body),
                into=tuple(tuple(into[node.id]) for node in body),
                back_on_error=frozenset(position[node.id] for node in body if node.id in back),
            )
            for container, body in members.items()
        },
        has_children=any(node.delegates for node in plan.nodes),
    )


def _reach(places: Iterable[int], arcs: tuple[tuple[Arc, ...], ...]) -> frozenset[int]:
    todo, seen = list(places), set[int]()
    while todo:
        place = todo.pop()
        if place not in seen:
            seen.add(place)
            todo += [arc.other for arc in arcs[place]]
    return frozenset(seen)
