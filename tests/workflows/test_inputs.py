from __future__ import annotations

from typing import Any

import pytest

from workflows.inputs import described_inputs


def drawn(**config: Any) -> dict[str, Any]:
    return {"nodes": {"ask": {"type": "input", "name": "Ask", "config": config}}, "edges": []}


@pytest.mark.parametrize(
    ("config", "described"),
    [
        ({}, {"name": None, "type": "text", "label": "ask", "required": True, "description": None}),
        (
            {
                "inputName": "order",
                "inputType": "json",
                "label": "Order",
                "required": False,
                "description": "What was bought.",
            },
            {
                "name": "order",
                "type": "json",
                "label": "Order",
                "required": False,
                "description": "What was bought.",
            },
        ),
    ],
)
def test_input_node_is_described_as_the_existing_product_does(
    config: dict[str, Any], described: dict[str, Any]
) -> None:
    """Type, label and required have defaults: text, the node's id, true."""
    inputs = described_inputs(drawn(**config))

    assert inputs == {"ask": described}


def test_node_that_takes_files_is_described_as_a_file() -> None:
    """A form has a field for it, too."""
    drawing = {"nodes": {"docs": {"type": "files", "name": "Docs", "config": {"inputName": "docs"}}}, "edges": []}

    assert described_inputs(drawing) == {
        "docs": {"name": "docs", "type": "file", "label": "docs", "required": True, "description": None}
    }


def test_input_node_of_the_editors_format_is_described_alike() -> None:
    """The format is a matter of spelling."""
    editors = {"nodes": [{"id": "ask", "type": "input", "data": {"inputName": "order"}}], "edges": []}

    inputs = described_inputs(editors)

    assert inputs == described_inputs(drawn(inputName="order"))


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ({"nodes": {"start": {"type": "trigger", "name": "Start", "config": {}}}, "edges": []}, "no input node"),
        ({"nodes": {}, "edges": []}, "nothing in it"),
        ({"nodes": "?"}, "a draft that cannot be read"),
    ],
)
def test_workflow_without_readable_input_nodes_has_none(definition: dict[str, Any], reason: str) -> None:
    """Null, as the existing product says it."""
    inputs = described_inputs(definition)

    assert inputs is None, reason
