from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from rich.console import Console

from executions.core.statuses import RunStatus
from flowmaestro.bootstrap import api_key_path
from flowmaestro.embedded.secret_files import read_secret
from flowmaestro.supervisor import read
from flowmaestro.terminal import ApiError, Client, FollowError, on_pause, view_for, watch
from flowmaestro.workflow_files import BadFile, store_file
from handlers import JSONObject, JSONValue

EXIT_CODES: Final[Mapping[RunStatus, int]] = {
    RunStatus.COMPLETED: 0,
    RunStatus.FAILED: 1,
    RunStatus.CANCELLED: 3,
    RunStatus.PAUSED: 4,  # it waits for somebody who is not here
}


class Command(BaseCommand):
    help = (
        "Run a workflow from a file; its outputs come as JSON. What it asks people is asked here; where nobody sits at"
        " the terminal, it is said how to answer. Exit code: 0 completed, 1 failed, 3 cancelled, 4 paused."
    )
    requires_system_checks: list[str] = []  # the stack made them when it started

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a definition; its sub-workflows may be files beside it")
        parser.add_argument("--inputs", type=Path, metavar="FILE", help="a JSON object")
        parser.add_argument(
            "--input", action="append", default=[], metavar="NAME=VALUE", help="one more input, as JSON or else as text"
        )

    def handle(self, **options: Any) -> None:
        state = read(settings.FLOWMAESTRO_HOME)
        if state is None or not state.is_ready:
            raise CommandError("FlowMaestro is not up. Start it with: flowmaestro up")
        inputs = {**(_read_object(options["inputs"]) if options["inputs"] else {}), **_named(options["input"])}
        console, key_path = Console(stderr=True), api_key_path(settings.FLOWMAESTRO_HOME)  # outputs are for a pipe
        try:
            client = Client(state.url, read_secret(key_path))
            started = client.execute(store_file(options["file"], client.store_workflow), inputs)
            asks = on_pause(client, started, console, key_path=key_path)
            run = watch(client, started, view_for(console), asks)
        except (ApiError, BadFile, FollowError) as error:
            raise CommandError(str(error)) from error
        if run.outputs_omitted is not None:
            nodes = f"{state.url}/api/v1/executions/{started['execution_id']}/nodes"
            self.stderr.write(f"The outputs have {run.outputs_omitted:,} characters; read them node by node: {nodes}")
        self.stdout.write(json.dumps(run.outputs, indent=2, ensure_ascii=False))
        sys.exit(EXIT_CODES[run.status])


def _read_object(path: Path) -> JSONObject:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path}: {error}") from error
    if not isinstance(value, dict):
        raise CommandError(f"{path} holds no JSON object.")
    return value


def _named(words: Sequence[str]) -> JSONObject:
    pairs = [word.partition("=") for word in words]
    if wrong := [name for name, sign, _ in pairs if not (name and sign)]:
        raise CommandError(f"--input {wrong[0]}: write NAME=VALUE.")
    return {name: _value(text) for name, _, text in pairs}


def _value(text: str) -> JSONValue:
    try:
        value: JSONValue = json.loads(text)
    except ValueError:
        return text
    return value
