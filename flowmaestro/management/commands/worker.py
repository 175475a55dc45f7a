from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from flowmaestro.worker import LANES, WorkerOptions


class Command(BaseCommand):
    help = "Run one worker until SIGTERM, which lets it finish what it runs."
    requires_system_checks: list[str] = []  # the process that it becomes makes them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--lanes", default=",".join(settings.FLOWMAESTRO_LANES), help="which work it takes; default: %(default)s"
        )
        parser.add_argument(
            "--concurrency", type=int, default=settings.FLOWMAESTRO_CONCURRENCY, help="threads; default: %(default)s"
        )
        parser.add_argument("--name", default=f"worker-{os.getpid()}", help="among the workers of this machine")

    def handle(self, **options: Any) -> None:
        lanes = [lane for lane in options["lanes"].split(",") if lane]
        if not lanes or set(lanes) - set(LANES):
            raise CommandError(f"--lanes takes one or more of {', '.join(LANES)}, separated by commas.")
        worker = WorkerOptions(lanes=lanes, concurrency=options["concurrency"], name=options["name"])
        # A fresh process under the same number: settings are read once, and the lanes are among them.
        os.execve(  # noqa: S606 -- ourselves
            sys.executable,
            [sys.executable, "-P", "-m", "celery", *worker.arguments],
            {**os.environ, **worker.environment},
        )
