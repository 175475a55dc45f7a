from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import UserFactory, WorkflowFactory, WorkflowVersionFactory
from workflows.models import Workflow


@pytest.fixture
def operator(db: None) -> Client:
    browser = Client()
    browser.force_login(UserFactory(is_staff=True, is_superuser=True))
    return browser


def test_workflows_listed_show_which_version_runs(operator: Client) -> None:
    """Published or not is the first thing an operator asks."""
    WorkflowVersionFactory(workflow=WorkflowFactory(name="Refunds"), number=7)
    WorkflowFactory(name="Sketch")

    response = operator.get("/admin/workflows/workflow/")

    rows = [
        [workflow.name, workflow.published and workflow.published.number]
        for workflow in response.context["cl"].result_list
    ]
    assert rows == [["Sketch", None], ["Refunds", 7]]
    assert b'<td class="field-published_number">7</td>' in response.content
    assert b'<td class="field-published_number">not published</td>' in response.content


def test_workflow_shown_has_its_draft_and_its_versions_and_no_form(operator: Client) -> None:
    """A window: what only services may write has no field to type into."""
    version = WorkflowVersionFactory(workflow=WorkflowFactory(name="<b>Refunds</b>"))

    response = operator.get(f"/admin/workflows/workflow/{version.workflow_id}/change/")

    assert b"&lt;b&gt;Refunds&lt;/b&gt;" in response.content
    assert b"&quot;trigger&quot;" in response.content
    assert b'<td class="field-number">' in response.content
    assert b'name="_save"' not in response.content
    assert b"_delete" not in response.content


@pytest.mark.parametrize("path", ["add/", "{id}/delete/"])
def test_workflow_is_neither_added_nor_deleted_here(operator: Client, path: str) -> None:
    """The rules of drawing and deleting are in the services, behind the API."""
    workflow = WorkflowFactory()

    response = operator.get(f"/admin/workflows/workflow/{path.format(id=workflow.pk)}")

    assert response.status_code == 403
    assert Workflow.objects.exists()
