from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from flowmaestro.management.following import follow_to_end
from flowmaestro.management.here import here
from flowmaestro.terminal import ApiError, FollowError
from flowmaestro.terminal.exits import EXITS
from flowmaestro.workflow_files import BadFile, store_file
from handlers import JSONObject, JSONValue


class Command(BaseCommand):
    help = (
        "Run a workflow from a file; its outputs come as JSON. What it asks people is asked here; where nobody sits at"
        f" the terminal, it is said how to answer. {EXITS}"
    )
    requires_system_checks: list[str] = []  # the stack made them when it started

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a definition; its sub-workflows may be files beside it")
        parser.add_argument("--inputs", type=Path, metavar="FILE", help="a JSON object")
        parser.add_argument(
            "--input", action="append", default=[], metavar="NAME=VALUE", help="one more input, as JSON or else as text"
        )

    def handle(self, **options: Any) -> None:
        stack = here()
        inputs = {**(_read_object(options["inputs"]) if options["inputs"] else {}), **_named(options["input"])}
        try:
            started = stack.client.execute(store_file(options["file"], stack.client.store_workflow), inputs)
            code = follow_to_end(stack, started, output=self.stdout, errors=self.stderr)
        except (ApiError, BadFile, FollowError) as error:
            raise CommandError(str(error)) from error
        sys.exit(code)


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
