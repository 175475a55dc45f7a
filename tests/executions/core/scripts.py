"""Runs that hypothesis draws: a plan with bodies at any depth, and what its nodes answer."""

from __future__ import annotations

from typing import Any, TypeAlias

from hypothesis import assume
from hypothesis import strategies as st

from executions.core import Graph, lay_out
from tests.executions.core.play import Again, Boom, Port, Waits, While
from tests.strategies import plans
from workflows.core.plan import EdgeType, OnErrorStrategy

MOST_TIMES = 3  # that a body runs whose drawing leaves it to values
MOST_VISITS = 200
Run: TypeAlias = tuple[Graph, dict[str, Any]]


@st.composite
def runs(draw: st.DrawFn, *, failures: bool = False, waits: bool = True) -> Run:
    """A plan, and what its nodes answer: fail they only where it is handled, or anywhere with *failures*.

    With both, whether an answer was before a failure decides how a run ends: a run that fails waits for nobody.
    """
    graph = lay_out(draw(plans(containers=True)))
    assume(sum(_times(graph, node.parent) for node in graph.plan.nodes) <= MOST_VISITS)
    return graph, draw(
        st.fixed_dictionaries(
            {node.id: _answers(graph, node.id, failures=failures, waits=waits) for node in graph.plan.nodes}
        )
    )


def _times(graph: Graph, container: str | None) -> int:
    """How often a body runs at most."""
    if container is None:
        return 1
    node = graph.node(container)
    told = node.config.get("count")
    return (told if isinstance(told, int) else MOST_TIMES) * _times(graph, node.parent)


def _answers(graph: Graph, node_id: str, *, failures: bool, waits: bool) -> st.SearchStrategy[Any]:
    node = graph.node(node_id)
    if node.container is not None:
        return st.integers(0, MOST_TIMES).map(While)
    ports = sorted({edge.port for edge in graph.plan.edges if edge.source == node_id and edge.type is EdgeType.PORT})
    choices: list[Any] = [*map(Port, filter(None, ports)), None]
    choices += [[Again(), choice] for choice in choices]
    is_handled = graph.has_error_edge(node_id) or node.on_error in (OnErrorStrategy.CONTINUE, OnErrorStrategy.FALLBACK)
    if failures or is_handled:
        choices += [Boom(node_id), [Again(), Again(), Boom(node_id)]]
    if waits:
        choices += [Waits(choice) for choice in choices if not isinstance(choice, list)]
    return st.sampled_from(choices)
