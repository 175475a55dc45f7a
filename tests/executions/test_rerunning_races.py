"""Reruns beside everything else that happens to the run before, on connections of their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from executions import driver, hotpath, rerunning
from executions.core import NotOverYet, RunStatus
from executions.models import Execution, ExecutionState, NodeRun
from executions.rerunning import rerun_execution, retry_execution
from executions.services import cancel_execution
from tests.executions.runs import begin, outputs, reread, statuses
from tests.executions.workers import Workers, in_parallel
from tests.fakes import Messages
from tests.nodes import counted

pytestmark = pytest.mark.django_db(transaction=True)

JOIN = "start -> a -> j, start -> b -> j, j -> z"
EFFECTS: dict[str, Any] = {"default": "test.count", "types": {"start": "trigger"}}
WITHIN = 5  # seconds for a lock that nobody is to wait for


def as_soon_as_it_is_over(verb: Callable[[], Execution]) -> Execution:
    while True:
        try:
            return verb()
        except NotOverYet:
            time.sleep(0.001)


def elsewhere(job: Callable[[], Any]) -> Any:
    """What *job* returns on another connection, while our transaction is open."""

    def closing() -> Any:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = %s", [WITHIN * 1000])
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(closing).result()


@pytest.mark.parametrize("seed", range(8))
def test_rerun_at_the_moment_of_the_end_has_all_of_it(workers: Workers, seed: int) -> None:
    """Refused until then, and never begun on a half of what the run came to."""
    run = begin(JOIN, **EFFECTS)
    rerun = partial(as_soon_as_it_is_over, partial(rerun_execution, run.pk, from_node="z"))

    _, *reruns = in_parallel([partial(workers.deliver_by, 3, order=Random(seed)), *[rerun] * 3])
    workers.deliver_by(3, order=Random(seed))

    for again in reruns:
        kept = set(NodeRun.objects.filter(execution=again, kept=True).values_list("node_id", flat=True))
        assert (kept, counted(again.pk)) == ({"start", "a", "b", "j"}, {"z": 1})
        assert (reread(again).status, outputs(again)) == ("completed", outputs(run))


@pytest.mark.parametrize("seed", range(8))
def test_retry_at_the_moment_of_a_cancel_runs_what_the_cancel_stopped(workers: Workers, seed: int) -> None:
    """Each node has its end in one of the two, whichever it was that was stopped."""
    run = begin(JOIN, **EFFECTS)
    chance = Random(seed)

    def cancel() -> None:
        time.sleep(chance.random() * 0.03)
        try:
            cancel_execution(run.pk)
        except Exception:  # noqa: BLE001 -- it was over before
            return

    retry = partial(as_soon_as_it_is_over, partial(rerun_or_retry, run.pk))
    _, _, again = in_parallel([partial(workers.deliver_by, 3, order=chance), cancel, retry])
    workers.deliver_by(3, order=chance)

    assert reread(again).status == RunStatus.COMPLETED
    assert statuses(again) == dict.fromkeys(["start", "a", "b", "j", "z"], "completed")
    kept = set(NodeRun.objects.filter(execution=again, kept=True).values_list("node_id", flat=True))
    assert kept | counted(again.pk).keys() | {"start"} == {"start", "a", "b", "j", "z"}
    assert not kept & counted(again.pk).keys()
    assert kept <= {node for node, status in statuses(run).items() if status == "completed"}


def rerun_or_retry(execution_id: UUID) -> Execution:
    completed = Execution.objects.filter(pk=execution_id, status=RunStatus.COMPLETED).exists()
    return rerun_execution(execution_id, from_node="z") if completed else retry_execution(execution_id)


def test_run_that_is_being_driven_is_not_waited_for(run: Execution) -> None:
    """Whoever asks is told at once that it is not over."""
    with transaction.atomic():
        ExecutionState.objects.select_for_update(no_key=True).get(pk=run.pk)

        with pytest.raises(NotOverYet):
            elsewhere(partial(rerun_execution, run.pk))


def test_drive_neither_waits_for_who_asks_for_a_rerun_nor_leaves_the_run_to_him(run: Execution) -> None:
    """It would be left for good: who asks does not look again. Here he has asked, and his transaction is open."""

    def turn() -> bool:
        with transaction.atomic():
            is_ours = hotpath.lock(run.pk, wait=False) is not None
            Execution.objects.filter(pk=run.pk).update(drive_failures=0)
        return is_ours

    with transaction.atomic():
        with pytest.raises(NotOverYet):
            rerunning._over(run.pk)

        assert elsewhere(turn)


@pytest.mark.parametrize("verb", [retry_execution, rerun_execution, partial(rerun_execution, from_node="b")])
def test_run_is_not_deleted_while_another_takes_over_from_it(messages: Messages, verb: Any) -> None:
    """Who deletes it meanwhile is refused; who comes after it was deleted finds none."""
    types = {"start": "trigger", "b": "test.fail"}
    for _ in range(5):
        run = begin("start -> a -> b", types=types)
        messages.deliver_all()

        again, is_deleted = in_parallel([partial(unless, Execution.DoesNotExist, verb, run.pk), partial(deleted, run)])

        assert again or is_deleted
        if again is not None:
            driver.drive(again.pk)
            assert (reread(again).status, outputs(again)["a"]) == ("failed", {"result": "a"})
            assert reread(again).rerun_of_id == (None if is_deleted else run.pk)


def unless(error: type[Exception], verb: Callable[[UUID], Execution], execution_id: UUID) -> Execution | None:
    try:
        return verb(execution_id)
    except error:
        return None


def deleted(run: Execution) -> bool:
    try:
        Execution.objects.get(pk=run.pk).delete()
    except IntegrityError:
        return False
    return True
