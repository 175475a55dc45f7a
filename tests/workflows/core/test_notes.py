from __future__ import annotations

from typing import Any

import pytest

from workflows.core import Severity, build_plan, parse_definition, validate

ALIASES = ("annotation", "label", "comment", "group", "note")
HTML = {"content": "{{ not a reference }} {{", "text": "Ask Ada"}


def drawing(*edges: tuple[str, str], kind: str = "note", **more: Any) -> dict[str, Any]:
    return {
        "nodes": {
            "start": {"type": "trigger", "name": "Start", "config": {}},
            "end": {"type": "noop", "name": "End", "config": {}, **more},
            "remark": {"type": kind, "name": "Remark", "config": HTML if len(edges) == 1 else {}},
        },
        "edges": [
            {"id": f"e{index}", "source": source, "target": target} for index, (source, target) in enumerate(edges)
        ],
    }


@pytest.mark.parametrize("kind", ALIASES)
def test_note_beside_a_drawing_is_no_part_of_it(kind: str) -> None:
    """Neither a second place to start at, nor one that nothing reaches; and what it says is text."""
    drawn = drawing(("start", "end"), kind=kind)

    assert validate(drawn) == []
    plan = build_plan(parse_definition(drawn))
    assert ([node.id for node in plan.nodes], plan.entry) == (["start", "end"], "start")


def test_note_that_edges_lead_through_is_passed() -> None:
    """Whoever drew it so meant what follows to run."""
    drawn = drawing(("start", "remark"), ("remark", "end"))

    assert [node.id for node in build_plan(parse_definition(drawn)).nodes] == ["start", "remark", "end"]


def test_note_that_an_error_leads_to_is_there() -> None:
    drawn = drawing(("start", "end"), onError={"strategy": "goto", "gotoNode": "remark"})
    drawn["nodes"]["remark"]["config"] = {}

    assert [issue for issue in validate(drawn) if issue.severity is Severity.ERROR] == []
    assert len(build_plan(parse_definition(drawn)).nodes) == 3


def test_drawing_of_notes_alone_has_no_nodes() -> None:
    drawn = {"nodes": {"a": {"type": "note", "name": "A", "config": {}}}, "edges": []}

    assert [issue.code for issue in validate(drawn)] == ["NO_NODES"]
