from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from flowmaestro.supervisor import read
from flowmaestro.supervisor.health import answers


class Command(BaseCommand):
    help = "Say what runs. The exit code is 0 when it is up and ready, 1 when not."
    requires_system_checks: list[str] = []

    def handle(self, **_options: Any) -> None:
        state = read(settings.FLOWMAESTRO_HOME)
        if state is None:
            self.stdout.write("FlowMaestro is not up. Start it with: flowmaestro up")
            sys.exit(1)
        is_well = state.is_ready and answers(state.url)
        self.stdout.write(f"FlowMaestro is {'up' if is_well else 'not ready'} at {state.url}")
        for name, pid in {"supervisor": state.pid, **state.children}.items():
            self.stdout.write(f"  {name:<12}process {pid}")
        if state.standin_url:
            self.stdout.write(f"  stand-in at {state.standin_url}")
        if state.stops_at:
            self.stdout.write(f"  stops by itself at {state.stops_at}")
        sys.exit(0 if is_well else 1)
