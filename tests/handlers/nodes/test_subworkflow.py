from __future__ import annotations

from typing import Any

import pytest

from handlers import StartChild
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, run


def test_sub_workflow_asks_for_a_run_with_its_inputs() -> None:
    """The engine starts it; its outputs become the node's."""
    output = run("subWorkflow", {"workflowId": "0190", "version": 2, "inputs": {"name": "Ada"}})

    assert output.signal == StartChild(workflow="0190", version=2, inputs={"name": "Ada"})


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"workflow": "./order-triage.json"}, "workflow"),
        ({"workflowId": "order-triage.json"}, "workflowId"),
        ({"workflow": "{{inputs.which}}.json"}, None),
        ({"workflow": "0190a0b1-c2d3-7e4f-8a9b-0c1d2e3f4a5b"}, None),
        ({}, "workflow"),
    ],
)
def test_sub_workflow_that_names_a_file_is_refused_where_ids_are_meant(
    config: dict[str, Any], field: str | None
) -> None:
    """Who sends the API what lies in a file is told who understands it."""
    wrong = check_config(CATALOGUE["subWorkflow"], config)

    assert [place for place, _ in wrong] == ([] if field is None else [field])
    assert not config or not wrong or "`flowmaestro run` puts it here" in wrong[0][1]
