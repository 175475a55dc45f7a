"""`make chaos`: a site of our own, hurt in every way we know, and whether each run came to what it should all the same.

    python -m tests.chaos [seed [runs]]

Exit code: 0 when every run did, every bound was kept, and all invariants hold.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

HOME = Path(tempfile.mkdtemp(prefix="flowmaestro-chaos-")).resolve()
DEFAULTS = ("0", "240")  # seed, runs
LEASE = 3  # seconds; shorter than a site's, so that there is time for more accidents

for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "FLOWMAESTRO_FAULTS"):
    os.environ.pop(name, None)
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "tests.settings",
    "FLOWMAESTRO_HOME": str(HOME),
    "FLOWMAESTRO_NODE_HANDLERS": "tests.nodes,tests.chaos.nodes",
    "FLOWMAESTRO_LEASE_SECONDS": str(LEASE),
    "FLOWMAESTRO_SWEEP_MS": "1000",
    "CHAOS_LEDGER": str(HOME / "ledger"),
}

import django

django.setup()

from tests.chaos import doubled, storm, visits
from tests.chaos.crew import Crew
from tests.chaos.report import Report
from tests.chaos.site import Site
from tests.chaos.stage import Stage, bound


def main() -> int:
    seed, runs = [*sys.argv[1:], *DEFAULTS[len(sys.argv) - 1 :]]
    begun, report = time.monotonic(), Report(bound=bound())
    report.say(f"Seed {seed}. The lease is {LEASE} s: every run is to go on within {bound().total_seconds():g} s.")
    with Site(HOME) as site:
        stage = Stage(site=site, crew=Crew(HOME), report=report, seed=seed, ledger=HOME / "ledger")
        try:
            storm.chapter(stage, runs=int(runs))
            visits.chapter(stage)
            doubled.chapter(stage, runs=int(runs) // 6)
        finally:
            stage.crew.end()
            site.leaves_traces = bool(report.problems)
    report.say(f"{time.monotonic() - begun:.0f} s, {report.problems} wrong.")
    if report.problems:
        report.say(f"Logs of the workers and rows of what went wrong are in {HOME}.")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
