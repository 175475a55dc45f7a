from __future__ import annotations

from executions.core import EventType
from executions.core.scopes import path
from tests.executions.core.play import Boom, Played, graph_of


def progress(played: Played) -> list[tuple[str, int]]:
    told = [event for step in played.steps for event in step.events if event.type is EventType.NODE_PROGRESS]
    return [(path(event.scope, str(event.node_id)), int(str(event.data["done"]))) for event in told]


def test_each_iteration_that_is_over_is_told() -> None:
    """And what it ended with is no matter: the container says that itself."""
    graph = graph_of("start -> loop, loop:body -> a -> b", nodes={"loop": {"config": {"count": 3}}})

    assert progress(Played(graph).to_end()) == [("loop", 1), ("loop", 2), ("loop", 3)]
    assert progress(Played(graph, {"loop[1]/a": Boom()}).to_end()) == [("loop", 1), ("loop", 2)]


def test_progress_of_a_parallel_does_not_tell_which_branches_are_over() -> None:
    """Only how many: nested containers each in their scope."""
    graph = graph_of("start -> par, par:body -> loop, loop:body -> a")
    played = Played(graph).report("start")

    played.report("par[1]/loop[0]/a").report("par[1]/loop[1]/a").report("par[0]/loop[0]/a")

    assert progress(played) == [("par[1]/loop", 1), ("par[1]/loop", 2), ("par", 1), ("par[0]/loop", 1)]
