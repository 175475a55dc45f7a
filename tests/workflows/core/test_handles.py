"""What the handle of an edge means."""

from __future__ import annotations

import pytest

from tests.graphs import catalogue
from workflows.core.handles import read_handle
from workflows.core.plan import EdgeType


@pytest.mark.parametrize(
    ("node_type", "handle", "meaning"),
    [
        ("echo", None, (EdgeType.SUCCESS, None)),  # absent
        ("echo", "", (EdgeType.SUCCESS, None)),
        ("echo", "output", (EdgeType.SUCCESS, None)),
        ("echo", "source", (EdgeType.SUCCESS, None)),
        ("echo", "error", (EdgeType.ERROR, None)),  # every node has an error port
        ("echo", "true", None),  # no other
        ("conditional", None, (EdgeType.SUCCESS, None)),  # a node with ports has the success edge as well
        ("conditional", "true", (EdgeType.PORT, "true")),
        ("conditional", "output-true", (EdgeType.PORT, "true")),  # another spelling, told by the handler
        ("if", "false", (EdgeType.PORT, "false")),  # by an alias of the type
        ("switch", "b", (EdgeType.PORT, "b")),  # a port that the configuration makes
        ("switch", "c", None),
        ("humanReview", "timeout", (EdgeType.PORT, "timeout")),  # when it expires
        ("echo", "timeout", None),
        ("loop", "body", (EdgeType.BODY, None)),
        ("parallel", "output-body", (EdgeType.BODY, None)),
        ("forEach", "loop-body", (EdgeType.BODY, None)),
        ("loop", None, (EdgeType.SUCCESS, None)),  # the way out
        ("loop", "done", (EdgeType.SUCCESS, None)),
        ("parallel", "loop-exit", (EdgeType.SUCCESS, None)),
        ("parallel", "error", (EdgeType.ERROR, None)),
        ("loop", "next", None),
        ("echo", "body", None),  # only containers have one
        ("echo", "done", None),
    ],
)
def test_read_handle_tells_type_and_port(node_type: str, handle: str | None, meaning: object) -> None:
    """The fixed handles are the same for every node; the rest is the handler's to say."""
    assert read_handle(handle, catalogue[node_type], {"cases": [{"value": "b"}]}) == meaning
