"""The invariants are asked of a site again and again: what does not hold is told in the log, and as a figure."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from time import monotonic
from typing import Final

from django.db.models.functions import Now

from executions.invariants.check import check_runs
from executions.invariants.findings import Finding, Invariant
from executions.leases import lease
from executions.metrics import STUCK, VIOLATIONS
from executions.models import WorkerLease

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(minutes=1)
# One by one, in a look: some 0.3 s, in which this process does not sweep.
AT_ONCE: Final = 200
_REMEMBERED: Final = timedelta(hours=1)  # runs are taken by chance: what is not found again may still be there


class Watch:
    """Looks when its time has come. The worker that has been alive longest looks for all."""

    def __init__(self) -> None:
        self._next = monotonic() + _pause()
        self._told: dict[Finding, float] = {}  # when they were found last

    def look(self) -> None:
        """Called often; does nothing most of the time."""
        now = monotonic()
        if now < self._next:
            return
        self._next = now + _pause()
        findings = check_runs(limit=AT_ONCE).findings if _is_eldest() else ()
        for finding in findings:
            if finding not in self._told:
                node = "" if finding.where is None else f", node {finding.where}"
                logger.error("%s: run %s%s: %s", finding.code, finding.execution_id, node, finding.wrong)
        _show(findings)
        self._told |= dict.fromkeys(findings, now)
        self._told = {finding: at for finding, at in self._told.items() if now - at <= _REMEMBERED.total_seconds()}


def _pause() -> float:
    return EVERY.total_seconds() * (0.75 + random.random() / 2)  # noqa: S311 -- jitter


def _is_eldest() -> bool:
    alive = WorkerLease.objects.filter(expires_at__gt=Now()).order_by("pk")
    return alive.values_list("pk", flat=True).first() == lease.id()


def _show(findings: Collection[Finding]) -> None:
    counts = Counter(finding.code for finding in findings)
    for code in Invariant:
        VIOLATIONS.labels(code=code.value).set(counts[code])
    STUCK.set(counts[Invariant.WAY_FORWARD])
