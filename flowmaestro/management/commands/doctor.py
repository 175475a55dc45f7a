from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from flowmaestro.doctor import Level, examine


class Command(BaseCommand):
    help = "Look at every service and setting and say how to mend what is wrong. The exit code is 1 when something is."
    requires_system_checks: list[str] = []  # they are among what is told

    def handle(self, **_options: Any) -> None:
        styles = {Level.OK: self.style.SUCCESS, Level.WARN: self.style.WARNING, Level.FAIL: self.style.ERROR}
        has_failed = False
        for finding in examine(settings.FLOWMAESTRO_HOME):
            has_failed = has_failed or finding.level is Level.FAIL
            self.stdout.write(f"{styles[finding.level](f'{finding.level:<5}')} {finding.subject}: {finding.told}")
            if finding.mend:
                self.stdout.write(f"      {finding.mend}")
        sys.exit(1 if has_failed else 0)
