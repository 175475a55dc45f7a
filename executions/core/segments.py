"""Lines of effects that a worker runs one after the other without asking the run.

Of a hundred branches of three nodes, a hundred messages go out, not three hundred, and nobody waits for the run's lock
in between: who has ended a node starts the next in the statement that records the outcome. It may where nobody else
can have a say in it: the next node follows this one only, and nothing else follows this one.

The run learns of it afterwards: the outcome says with which node its worker went on (`Succeeded.continued`).
"""

from __future__ import annotations

from collections.abc import Sequence

from executions.core.context import reads_any
from executions.core.graph import Graph
from executions.core.outcomes import Outcome, Succeeded
from executions.core.state import COMPLETED, Edge, edge
from handlers import Effect
from workflows.core.plan import PlanNode, Source


def next_in_segment(graph: Graph, node: PlanNode) -> PlanNode | None:
    """The node that the worker of *node* may go on with; None where its segment ends.

    A node that reads variables is not one: the writes of those before it are applied by the fold.
    """
    body = graph.bodies[node.parent or ""]
    place = body.follower(body.position[node.id])
    if place is None:
        return None
    follower = body.nodes[place]
    fits = (
        follower.effect is Effect.EFFECT
        and follower.container is None
        and not (follower.delegates or follower.disabled)
        and follower.lane is node.lane
        and (follower.cheap or not node.cheap)  # what shares a message waits for no slow one
        and not reads_any(follower.reads, Source.VARIABLE, Source.VAR)
    )
    return follower if fits else None


def segment_end(graph: Graph, node: PlanNode) -> PlanNode:
    """The last node of the segment that begins with *node*."""
    while (follower := next_in_segment(graph, node)) is not None:
        node = follower
    return node


def continuation(graph: Graph, outcome: Outcome) -> PlanNode | None:
    """The node that a worker may go on with after *outcome*: the next of its segment, where the edge to it is taken."""
    node = graph.node(outcome.node_id)
    follower = next_in_segment(graph, node)
    if follower is None or not isinstance(outcome, Succeeded):
        return None
    body = graph.body(outcome.scope)
    arc = body.out[body.position[node.id]][0]
    is_taken = edge(COMPLETED, arc.type, drawn=arc.port, chosen=outcome.port) is Edge.TAKEN
    return follower if is_taken else None


def in_line(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """*outcomes* with what was run in one segment in its order, whatever the clock said when each ended."""
    before = {(told.scope, told.continued): told for told in outcomes if isinstance(told, Succeeded) and told.continued}
    if not before:
        return outcomes
    ordered: list[Outcome] = []
    done, ahead = set[int](), set[int]()
    for outcome in outcomes:
        if id(outcome) in ahead:  # it has been put before one that came first
            ahead.discard(id(outcome))
            continue
        line, told = [outcome], before.get((outcome.scope, outcome.node_id))
        while told is not None and id(told) not in done:
            line.append(told)
            ahead.add(id(told))
            told = before.get((told.scope, told.node_id))
        ordered += reversed(line)
        done.update(map(id, line))
    return ordered
