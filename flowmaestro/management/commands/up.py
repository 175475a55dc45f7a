from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from flowmaestro.banner import banner
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.supervisor import StackState, SupervisorError, read
from flowmaestro.supervisor.stack import DEFAULT_WORKERS, UpOptions
from flowmaestro.supervisor.up import detach, serve


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


class Command(BaseCommand):
    help = "Serve everything on this machine: databases unless they are set, web and workers. Ctrl-C ends it."
    requires_system_checks: list[str] = []  # made below, once it is known that something is to start

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=positive, help="default: the first free one from 8000")
        parser.add_argument("--workers", type=positive, default=DEFAULT_WORKERS, help="default: %(default)s")
        parser.add_argument("--detach", action="store_true", help="serve in the background, return when it is ready")
        parser.add_argument("--stop-after", type=float, metavar="SECONDS", help="end by itself after this time")
        parser.add_argument(
            "--standin", action="store_true", help="run the demo's stock service and, without OPENAI_API_KEY, its model"
        )

    def handle(self, **options: Any) -> None:
        home = settings.FLOWMAESTRO_HOME
        wanted = UpOptions(
            port=options["port"],
            workers=options["workers"],
            with_standin=options["standin"],
            stop_after_seconds=options["stop_after"],
        )
        try:
            if running := read(home):
                self.stdout.write(f"FlowMaestro is already up at {running.url} (process {running.pid}).")
                return
            self.check()
            if options["detach"]:
                state = detach(home, wanted)
                self.stdout.write(banner(home, state, how_to_stop="Stop it with: flowmaestro down"))
            else:
                serve(home, wanted, on_ready=self._show, say=self._say)
        except OperationalError as error:
            raise CommandError(f"The database does not answer: {error}`flowmaestro doctor` may know more.") from error
        except (EmbeddedError, SupervisorError) as error:
            raise CommandError(str(error)) from error

    def _show(self, state: StackState) -> None:
        self._say(banner(settings.FLOWMAESTRO_HOME, state, how_to_stop="Stop it with Ctrl-C."))

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
