from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import IO, Any, Final, cast

from django.core.management import BaseCommand, CommandError, CommandParser
from rich.console import Console

from executions.core.statuses import RunStatus
from flowmaestro.management.following import follow_to_end
from flowmaestro.management.here import Here, here
from flowmaestro.terminal import ApiError, FollowError
from flowmaestro.terminal.dossier import dossier
from flowmaestro.terminal.exits import EXITS
from flowmaestro.terminal.listing import runs_table
from flowmaestro.terminal.results import show_outputs
from handlers import JSONObject

NEWEST: Final = "last"  # instead of an id
_FILTERS: Final = {
    "workflow-id": "of this workflow, of any version",
    "trigger": "what started them: api, …",
    "tag": "that have this tag",
    "parent-id": "that this run started",
    "rerun-of": "that took over from this run",
    "created-after": "from this moment on, in ISO 8601",
    "created-before": "before this moment",
    "search": "how an id begins, a tag, or text in the name of a workflow",
}
_PIPE_COLUMNS: Final = 240  # of what no terminal cuts


class Command(BaseCommand):
    help = "The runs of the stack that is up: list them, look at one, cancel, retry or follow it."
    requires_system_checks: list[str] = []  # the stack made them when it started

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|show|cancel|retry|tail")
        listing = verbs.add_parser("list", help="the newest runs, a line each")
        listing.add_argument("--status", choices=[status.value for status in RunStatus])
        for name, words in _FILTERS.items():
            listing.add_argument(f"--{name}", help=f"runs {words}")
        listing.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many, up to 100")
        listing.add_argument("--page", type=int, default=1, metavar="N", help="older ones: the second page, …")
        show = verbs.add_parser("show", help="one run: its nodes, its error, what it cost, its outputs")
        for verb in (listing, show):
            verb.add_argument("--json", action="store_true", help="as the API gives it")
        cancel = verbs.add_parser("cancel", help="end it now; outputs so far are kept")
        cancel.add_argument("--reason", help="is stored with the run")
        retry = verbs.add_parser("retry", help="begin it again where it broke off, as a run of its own")
        retry.add_argument("--tail", action="store_true", help="and follow that one")
        tail = verbs.add_parser("tail", help=f"follow it from its beginning to its end, as `run` does. {EXITS}")
        for verb in (show, cancel, retry, tail):
            verb.add_argument("run", help=f"its id; `{NEWEST}`: the newest there is")

    def handle(self, *, verb: str, **options: Any) -> None:
        stack = here()
        acts = {
            "list": self._list,
            "show": self._show,
            "cancel": self._cancel,
            "retry": self._retry,
            "tail": self._tail,
        }
        try:
            if "run" in options:
                options["run"] = _named(stack, options["run"])
            acts[verb](stack, options)
        except (ApiError, FollowError) as error:
            raise CommandError(str(error)) from error

    def _list(self, stack: Here, options: dict[str, Any]) -> None:
        names = ["status", *(name.replace("-", "_") for name in _FILTERS)]
        wanted = {name: options[name] for name in names if options[name] is not None}
        runs = stack.client.executions(per_page=options["limit"], page=options["page"], **wanted)
        if options["json"]:
            self._write_json(runs)
        elif runs:
            console = self._console()
            console.print(runs_table(runs, datetime.now(UTC), width=console.width))
        else:
            self.stderr.write("There are no such runs.")

    def _show(self, stack: Here, options: dict[str, Any]) -> None:
        run = stack.client.execution(options["run"])
        nodes = stack.client.top_nodes(options["run"])
        if options["json"]:
            self._write_json({**run, "nodes": nodes})
            return
        self._console().print(dossier(run, nodes, datetime.now(UTC)))
        if isinstance(run["outputs"], dict) and run["outputs"]:
            self.stdout.write("")
            show_outputs(self._console(), run["outputs"])

    def _cancel(self, stack: Here, options: dict[str, Any]) -> None:
        self.stdout.write(stack.client.cancel(options["run"], reason=options["reason"]))

    def _retry(self, stack: Here, options: dict[str, Any]) -> None:
        started = stack.client.retry(options["run"])
        if options["tail"]:
            self.stderr.write(f"{started['execution_id']} takes over from {options['run']}.")
            self._follow(stack, started)
        else:
            self.stdout.write(str(started["execution_id"]))

    def _tail(self, stack: Here, options: dict[str, Any]) -> None:
        self._follow(stack, stack.client.join(options["run"]))

    def _follow(self, stack: Here, started: JSONObject) -> None:
        sys.exit(follow_to_end(stack, started, output=self.stdout, errors=self.stderr))

    def _write_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, indent=2, ensure_ascii=False))

    def _console(self) -> Console:
        file = cast("IO[str]", self.stdout)
        console = Console(file=file)
        return console if console.is_terminal else Console(file=file, width=_PIPE_COLUMNS)


def _named(stack: Here, run: str) -> str:
    """The id of the run that is meant."""
    if run != NEWEST:
        return run
    newest = stack.client.executions(per_page=1)
    if not newest:
        raise CommandError("There are no runs yet.")
    return str(newest[0]["id"])
