from __future__ import annotations

import pytest
from celery import current_app

from executions import dispatch, tasks
from executions.core import RunStatus
from tests.executions.runs import begin, reread, row, statuses
from tests.fakes import Messages


@pytest.mark.parametrize("name", [dispatch.DRIVE, dispatch.RUN_NODES])
def test_every_message_has_its_task(name: str) -> None:
    """Messages are addressed by name, which no import checks."""
    assert current_app.tasks[name].ignore_result


@pytest.mark.django_db(transaction=True)
def test_drive_looks_at_a_run(messages: Messages) -> None:
    run = begin("start -> a")

    tasks.drive(str(run.pk))

    assert reread(run).status == RunStatus.COMPLETED


@pytest.mark.django_db(transaction=True)
def test_run_nodes_runs_those_that_are_ready(messages: Messages) -> None:
    run = begin("start -> a, start -> b", default="test.count")
    tasks.drive(str(run.pk))

    tasks.run_nodes([str(row(run, "a").pk)], "drive")

    assert statuses(run) == {"start": "completed", "a": "completed", "b": "ready"}
