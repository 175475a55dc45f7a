from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.db import transaction
from pytest_django.fixtures import Settings

from executions import blobs
from executions.core import BlobsAway, NotDeletable, RunStatus
from executions.deleting import delete_execution
from executions.metadata import write_entry
from executions.models import Event, Execution, NodeRun, RunMetadata
from tests.executions.reruns import ended
from tests.executions.rows import large_run, over, run_of
from tests.executions.storages import with_outputs_in
from tests.factories import WaitpointFactory, WorkspaceFactory
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


def test_run_that_is_deleted_leaves_nothing_behind(messages: Messages) -> None:
    """Not its rows, not its events, not what nodes said of it; others keep theirs."""
    gone, other = ended(messages, "start -> a"), ended(messages, "start -> a")
    write_entry(gone.pk, "stage", '"x"')

    delete_execution(gone.pk)

    assert [*Execution.objects.values_list("pk", flat=True)] == [other.pk]
    for model in (NodeRun, Event):
        assert set(model.objects.values_list("execution", flat=True)) == {other.pk}
    assert RunMetadata.objects.count() == 0


def test_what_a_run_started_goes_with_it() -> None:
    """Level by level: a child of a child too, with the question that it asked."""
    workspace = WorkspaceFactory()
    parent = run_of(workspace, **over(RunStatus.COMPLETED))
    child = run_of(workspace, **over(RunStatus.COMPLETED), parent=parent, parent_node="a", parent_scope="")
    inner = run_of(workspace, **over(RunStatus.FAILED), parent=child, parent_node="a", parent_scope="")
    WaitpointFactory(execution=inner)

    delete_execution(parent.pk)

    assert not Execution.objects.exists()


def test_run_that_took_over_stays() -> None:
    """It has copies of what it kept; it only forgets where they came from."""
    workspace = WorkspaceFactory()
    before = run_of(workspace, **over(RunStatus.FAILED))
    again = run_of(workspace, rerun_of=before, trigger="retry")

    delete_execution(before.pk)

    again.refresh_from_db()
    assert again.rerun_of_id is None


@pytest.mark.parametrize("live", ["itself", "its parent", "its child"])
def test_run_is_not_deleted_while_it_or_its_next_are_not_over(live: str) -> None:
    """A parent that goes on reads what its child gave back."""
    workspace = WorkspaceFactory()
    parent = run_of(workspace, **over(RunStatus.COMPLETED))
    run = run_of(workspace, **over(RunStatus.COMPLETED), parent=parent, parent_node="a", parent_scope="")
    child = run_of(workspace, **over(RunStatus.COMPLETED), parent=run, parent_node="a", parent_scope="")
    goes_on = {"itself": run, "its parent": parent, "its child": child}[live]
    Execution.objects.filter(pk=goes_on.pk).update(status=RunStatus.PAUSED)

    with pytest.raises(NotDeletable) as refused:
        delete_execution(run.pk)

    assert refused.value.status == RunStatus.PAUSED
    assert Execution.objects.count() == 3


def test_large_outputs_go_with_their_run() -> None:
    """Once it is certain that the rows are gone."""
    run = large_run(WorkspaceFactory())

    with transaction.atomic():
        delete_execution(run.pk)
        before = blobs.keys_of(run.workspace_id, run.pk)

    assert len(before) == 1
    assert blobs.keys_of(run.workspace_id, run.pk) == []


def test_run_stays_while_the_storage_of_its_outputs_is_away(settings: Settings) -> None:
    """Without its row nobody would find them again."""
    run = large_run(WorkspaceFactory())
    settings.STORAGES = with_outputs_in("tests.executions.storages.Shaky")
    storage: Any = storages["outputs"]
    storage.away["listdir"] = 1

    with pytest.raises(BlobsAway):
        delete_execution(run.pk)

    assert NodeRun.objects.filter(execution=run).count() == 1


def test_run_that_is_not_there_cannot_be_deleted() -> None:
    with pytest.raises(Execution.DoesNotExist):
        delete_execution(uuid4())
