"""Thin doors. Each may be delivered twice, late or never; the services behind them decide from rows."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from executions import dispatch, driver, worker
from executions.faults import Fault, reach


@shared_task(name=dispatch.DRIVE, ignore_result=True)
def drive(execution_id: str) -> None:
    """Look at a run. Delivered twice, the second finds nothing new to fold."""
    reach(Fault.CHORD_BODY)
    driver.drive(UUID(execution_id))


@shared_task(name=dispatch.RUN_NODES, ignore_result=True)
def run_nodes(node_run_ids: list[str], fold: str) -> None:
    """Run node runs that are ready. Delivered twice, the second finds nothing to claim. Never raises: see `worker`."""
    worker.run_nodes([UUID(node_run_id) for node_run_id in node_run_ids], fold=dispatch.Fold(fold))
