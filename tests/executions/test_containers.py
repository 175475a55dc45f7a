from __future__ import annotations

import json

import pytest

from executions import containers
from handlers import HandlerError

Told = list[tuple[str, str, str | None, str | None]]  # scope, node, output, unhandled error


@pytest.mark.parametrize(
    ("rows", "results"),
    [
        ([("p[0]", "a", "1", None), ("p[1]", "b", "2", None)], [{"a": 1}, {"b": 2}]),
        ([("p[1]", "b", "2", None), ("p[1]", "a", "1", None)], [{}, {"a": 1, "b": 2}]),
        ([("p[0]", "a", "1", None), ("p[0]", "b", None, '"no"')], [{"error": "no"}, {}]),  # outputs so far do not count
        ([("p[0]", "b", None, '"b"'), ("p[0]", "a", None, '"a"')], [{"error": "a"}, {}]),  # whichever was faster
    ],
)
def test_results_are_put_together_by_scope_and_node(rows: Told, results: list[object]) -> None:
    assert [json.loads(text) for text in containers.assemble(["a", "b"], ["p[0]", "p[1]"], rows)] == results


def test_results_larger_than_an_output_may_be_are_refused(settings: object) -> None:
    settings.FLOWMAESTRO_MAX_OUTPUT_BYTES = 10

    with pytest.raises(HandlerError, match="larger than an output may be: 10 bytes"):
        containers.assemble(["a"], ["p[0]", "p[1]"], [("p[0]", "a", '"123456"', None), ("p[1]", "a", '"123456"', None)])
