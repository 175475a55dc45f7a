"""A ticket at the API's door: it opens its own run, and little of that."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from executions import tickets
from executions.core import RunStatus
from executions.models import Execution, Vote, Waitpoint
from tests.doors import Api, data, error
from tests.executions.rows import run_of
from tests.factories import ApiKeyFactory, WaitpointFactory, WorkspaceFactory
from workflows.models import Workspace


@pytest.fixture
def workspace(db: None) -> Workspace:
    return WorkspaceFactory()


@pytest.fixture
def run(workspace: Workspace) -> Execution:
    return run_of(workspace, status=RunStatus.PAUSED)


def call(run: Execution, path: str = "", body: Any = None, **ticket: Any) -> HttpResponse:
    """What is below the run's address, with a ticket for it."""
    token = ticket.pop("token", None) or tickets.issue(run.pk, run.workspace_id, **ticket)
    address, headers = f"/api/v1/executions/{run.pk}{path}", {"Authorization": f"Ticket {token}"}
    if body is None:
        return Client().get(address, headers=headers)
    return Client().post(address, body, content_type="application/json", headers=headers)


def test_ticket_reads_its_run_and_the_nodes_of_it(run: Execution) -> None:
    """Which is what a live page shows that it opened."""
    assert data(call(run))["id"] == str(run.pk)
    assert call(run, "/nodes").status_code == 200


def test_ticket_of_another_run_finds_nothing(run: Execution, workspace: Workspace) -> None:
    """As if there were none: also of the same workspace."""
    token = tickets.issue(run_of(workspace).pk, workspace.pk)

    error(call(run, token=token), 404, "resource_not_found")


def test_ticket_of_a_workspace_reads_its_runs_and_no_others(run: Execution) -> None:
    """It is for all runs of the workspace that it names."""
    other = WorkspaceFactory()

    assert call(run, token=tickets.issue(None, run.workspace_id)).status_code == 200
    assert call(run, token=tickets.issue(None, other.pk)).status_code == 404


@pytest.mark.parametrize("path", ["/cancel", "/pause", "/retry", "/rerun"])
def test_ticket_ends_and_starts_nothing(run: Execution, path: str) -> None:
    """Not even one that may answer: who holds a link is nobody's member."""
    refused = call(run, path, {}, resume=True)

    error(refused, 403, "insufficient_scope")
    assert Execution.objects.get().status == "paused"


def test_ticket_lists_no_runs(run: Execution) -> None:
    """The address of the list names no run that it could be for."""
    token = tickets.issue(run.pk, run.workspace_id, resume=True)

    listed = Client().get("/api/v1/executions", headers={"Authorization": f"Ticket {token}"})

    error(listed, 403, "insufficient_scope")


def test_ticket_answers_where_it_says_so(run: Execution) -> None:
    """Otherwise it reads, and that is all."""
    asked = WaitpointFactory(execution=run)
    body = {"waitpoint_id": str(asked.pk), "input": True}

    error(call(run, "/resume", body), 403, "insufficient_scope")
    data(call(run, "/resume", body, resume=True), 202)

    answered = Waitpoint.objects.get()
    assert (answered.answer, answered.answered_by) == (True, "a ticket")


def test_tickets_of_one_holder_are_one_voter(run: Execution, workspace: Workspace) -> None:
    """And the same one as the holder: nobody votes twice by asking for a ticket."""
    api = Api(workspace)
    asked = WaitpointFactory(execution=run, votes_needed=2, voters=3)
    body = {"waitpoint_id": str(asked.pk), "input": True}
    data(call(run, "/resume", body, resume=True, holder=api.key), 202)

    error(call(run, "/resume", body, resume=True, holder=api.key), 409, "voted_already")
    error(api.post(f"/executions/{run.pk}/resume", body), 409, "voted_already")
    data(call(run, "/resume", body, resume=True, holder=ApiKeyFactory(workspace=workspace)), 202)
    assert Vote.objects.count() == 2


def test_ticket_that_is_over_or_was_changed_is_refused(run: Execution) -> None:
    """In words that say what to do, and with a status that tells a script to log in."""
    with time_machine.travel("2026-05-04 12:00:00+00:00", tick=False):
        old = tickets.issue(run.pk, run.workspace_id)

    error(call(run, token=old), 401, "expired_ticket")
    error(call(run, token="nonsense"), 401, "invalid_ticket")
