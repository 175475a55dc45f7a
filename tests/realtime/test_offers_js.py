"""What the page offers to do with a run: to whom, when, and why not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.realtime.javascript import javascript, needs_node

pytestmark = needs_node

OWNER = {"read": True, "cancel": True, "resume": True, "start": True, "ticket": False}
VIEWER = {"read": True, "cancel": False, "resume": False, "start": False, "ticket": False}
TICKET = {"read": True, "cancel": False, "resume": True, "start": False, "ticket": True}


def shown(status: str, can: Any = OWNER, *, reason: str | None = None, holding: bool = False) -> dict[str, bool]:
    """What is shown, and whether it can be done."""
    run = {"status": status, "pause": None if reason is None else {"reason": reason}}
    (made,) = javascript("offers", [{"run": run, "can": can, "holding": holding}])
    return {offer["name"]: not offer["why"] for offer in made if offer["shown"]}


@pytest.mark.parametrize(
    ("status", "reason", "offered"),
    [
        ("pending", None, {"pause", "cancel"}),
        ("running", None, {"pause", "cancel"}),
        ("paused", "waiting", {"pause", "cancel"}),
        ("paused", "requested", {"resume", "cancel"}),
        ("completed", None, {"rerun"}),
        ("failed", None, {"retry", "rerun"}),
        ("cancelled", None, {"retry", "rerun"}),
    ],
)
def test_what_makes_sense_is_shown(status: str, reason: str | None, offered: set[str]) -> None:
    assert shown(status, reason=reason) == dict.fromkeys(offered, True)


def test_pause_that_was_asked_for_can_be_taken_back() -> None:
    """While what runs is still finishing."""
    assert shown("running", holding=True) == {"resume": True, "cancel": True}


def test_who_may_not_is_told_so() -> None:
    """A viewer sees what there is; a ticket answers questions, lets go on, and does nothing else."""
    assert shown("running", VIEWER) == {"pause": False, "cancel": False}
    assert shown("failed", VIEWER) == {"retry": False, "rerun": False}
    assert shown("paused", TICKET, reason="requested") == {"resume": True, "cancel": False}
    assert shown("running", TICKET) == {"pause": False, "cancel": False}


@pytest.mark.parametrize(
    ("node", "status", "can", "why"),
    [
        ({"attempt": 1}, "failed", OWNER, ""),
        ({"attempt": 0, "kept": True}, "completed", OWNER, ""),
        ({"attempt": 0}, "completed", OWNER, "It did not run."),
        ({"attempt": 1, "parent": "loop"}, "completed", OWNER, "It is in a body: begin again at the container."),
        ({"attempt": 1}, "running", OWNER, "The run is still going on: cancel it first, or wait for its end."),
        ({"attempt": 1}, "completed", VIEWER, "Your role may not start runs."),
        ({"attempt": 1}, "completed", TICKET, "The link that opened this page may not start runs: log in."),
    ],
    ids=["ran", "kept", "skipped", "in-a-body", "going-on", "viewer", "ticket"],
)
def test_run_is_begun_again_at_what_ran_at_the_top(node: Any, status: str, can: Any, why: str) -> None:
    assert javascript("whyNot", [{"node": node, "run": {"status": status}, "can": can}]) == [why]


def test_rerun_is_told_the_inputs_that_are_others_now() -> None:
    """The same text is read as what it was; what stays, the server has."""
    before = {"name": "Ada", "count": 2, "deep": {"a": 1}, "gone": None, "yes": True}
    texts = {"name": "Bob", "count": "2", "deep": '{"a": 2}', "gone": "", "yes": "true"}

    assert javascript("reruns", [{"before": before, "texts": texts}]) == [
        {"wrong": {}, "changed": {"name": "Bob", "deep": {"a": 2}}}
    ]
