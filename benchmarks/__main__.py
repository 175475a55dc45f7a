"""`make bench`: its own workers, the kernel's figures beside the raw ones, and whether each keeps its bound."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowmaestro.settings")
os.environ["FLOWMAESTRO_NODE_HANDLERS"] = "benchmarks.nodes"
os.environ["FLOWMAESTRO_REDIS_PREFIX"] = f"fmbench-{os.getpid()}:"

from pathlib import Path

import django

django.setup()

from django.conf import settings
from django.core.management import call_command

from benchmarks import kernel, pauses, shapes, sockets, waits
from benchmarks.report import Report
from benchmarks.workers import Workers
from flowmaestro.embedded import services


def main() -> int:
    embedded = settings.FLOWMAESTRO_EMBEDDED_POSTGRES, settings.FLOWMAESTRO_EMBEDDED_REDIS
    if any(embedded):
        with services.start(Path(settings.FLOWMAESTRO_HOME), with_postgres=embedded[0], with_redis=embedded[1]):
            return measure()
    return measure()


def measure() -> int:
    call_command("migrate", verbosity=0)
    report = Report()
    with Workers(2) as workers:
        kernel.measure(report)
        pauses.measure(report)
        shapes.measure(report, [process.pid for process in workers.processes])
    waits.measure(report)
    sockets.measure(report)
    report.show()
    return 0 if report.is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
