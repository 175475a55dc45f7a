from __future__ import annotations

import sys
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management import BaseCommand, CommandParser

from flowmaestro.doctor import Level, examine, examine_runs


class Command(BaseCommand):
    help = "Look at every service and setting and say how to mend what is wrong. The exit code is 1 when something is."
    requires_system_checks: list[str] = []  # they are among what is told

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--runs",
            nargs="*",
            type=UUID,
            metavar="ID",
            help="look at these runs instead; without an ID at those that live, or have ended within a day",
        )

    def handle(self, **options: Any) -> None:
        styles = {Level.OK: self.style.SUCCESS, Level.WARN: self.style.WARNING, Level.FAIL: self.style.ERROR}
        home, runs = settings.FLOWMAESTRO_HOME, options["runs"]
        has_failed = False
        for finding in examine(home) if runs is None else examine_runs(home, runs or None):
            has_failed = has_failed or finding.level is Level.FAIL
            self.stdout.write(f"{styles[finding.level](f'{finding.level:<5}')} {finding.subject}: {finding.told}")
            if finding.mend:
                self.stdout.write(f"      {finding.mend}")
        sys.exit(1 if has_failed else 0)
