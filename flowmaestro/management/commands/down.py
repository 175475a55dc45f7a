from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from flowmaestro.embedded import services
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.supervisor import SupervisorError
from flowmaestro.supervisor.up import down


class Command(BaseCommand):
    help = "Stop what `flowmaestro up` or `flowmaestro demo` left serving. Runs go on when it is up again."
    requires_system_checks: list[str] = []  # it must work when nothing else does

    def handle(self, **_options: Any) -> None:
        home = settings.FLOWMAESTRO_HOME
        try:
            was_up = down(home)
            is_clear = services.stop(home)  # of a supervisor that was killed
        except (EmbeddedError, SupervisorError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("FlowMaestro has stopped." if was_up else "FlowMaestro was not up.")
        if not is_clear:
            self.stdout.write("Its database servers go on: another process, such as a test run, uses them.")
