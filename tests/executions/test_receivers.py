from __future__ import annotations

import pytest
from django.db import transaction

from executions import blobs
from executions.models import Execution
from tests.executions.runs import begin, returned
from tests.executions.scripted import Script, answers
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def over(messages: Messages, scripts: dict[str, Script]) -> Execution:
    """A run that is over, with an output in blob storage."""
    scripts["a"] = answers("a" * 300_000)
    run = begin("start -> a", types={"start": "trigger"}, default="test.script")
    messages.deliver_all()
    return run


def test_run_deleted_takes_its_blobs_along(over: Execution) -> None:
    workspace_id, execution_id = over.workspace_id, over.pk

    over.delete()

    assert blobs.keys_of(workspace_id, execution_id) == []


def test_deletion_undone_leaves_the_blobs(over: Execution) -> None:
    with transaction.atomic():
        Execution.objects.filter(pk=over.pk).delete()
        transaction.set_rollback(True)

    assert returned(over) == {"a": "a" * 300_000}
