from __future__ import annotations

from executions.core import RunStatus
from tests.executions.core.play import Boom, Played, graph_of


def test_container_in_a_scope_that_was_stopped_opens_no_more() -> None:
    """What is out in its body finishes; there are branches left, and yet nothing to be done about them."""
    graph = graph_of(
        "start -> par, par:body -> a, start -> b", nodes={"par": {"config": {"count": 5, "maxConcurrency": 2}}}
    )
    played = Played(graph, {"b": Boom()}).report("start")

    played.report("b")
    assert played.close is None
    played.report("par[0]/a", "par[1]/a")

    assert played.ran == ["start", "b", "par[0]/a", "par[1]/a"]
    assert played.statuses == {"start": "completed", "b": "failed", "par": "cancelled"}
    assert played.state.status is RunStatus.FAILED
