"""Figures of this process, as Prometheus reads them."""

from __future__ import annotations

from typing import Final

from prometheus_client import Gauge

# Of the worker that looks for the whole site; with all others they are 0, so that their sum is right.
VIOLATIONS: Final = Gauge("workflow_invariant_violations", "What is wrong with runs, by kind.", ["code"])
STUCK: Final = Gauge("workflow_stuck", "Runs and nodes that nothing leads forward.")
