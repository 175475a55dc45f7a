from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml
from django.core.management import BaseCommand, CommandError, CommandParser

from handlers.integrations.openapi import BadDocument, describe, write


class Command(BaseCommand):
    help = (
        "Write the integration of a service from its OpenAPI document: a module with a provider, to be refined and"
        " installed under the entry point group `flowmaestro.integrations`. What cannot be carried over is told."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="an OpenAPI 3.x document, JSON or YAML, in one piece")
        parser.add_argument("--output", type=Path, help="the module to write; NAME.py if it is not said")
        parser.add_argument("--name", help="what the provider is called; else after the document's title")
        parser.add_argument("--base-url", help="where the API is, if not where the document says")
        parser.add_argument(
            "--only",
            action="append",
            default=[],
            metavar="PATTERN",
            help="operations or tags, such as 'list*' or users",
        )
        parser.add_argument("--force", action="store_true", help="replace a module that is there already")

    def handle(self, **options: Any) -> None:
        source: Path = options["file"]
        patterns: list[str] = options["only"]

        def wanted(name: str, tags: tuple[str, ...]) -> bool:
            return not patterns or any(fnmatchcase(each, pattern) for pattern in patterns for each in (name, *tags))

        try:
            service = describe(_read(source), name=options["name"], base_url=options["base_url"], wanted=wanted)
        except BadDocument as error:
            raise CommandError(f"{source}: {error}") from error
        if not service.operations:
            raise CommandError("No operation can be carried over.\n" + "\n".join(service.left_out))
        target: Path = options["output"] or Path(f"{service.name.replace('-', '_')}.py")
        try:
            with target.open("w" if options["force"] else "x", encoding="utf-8") as module:
                module.write(write(service, source=source.name))
        except FileExistsError as error:
            raise CommandError(f"{target} is there already; --force replaces it.") from error
        except OSError as error:
            raise CommandError(f"{target}: {error.strerror}") from error
        for sentence in service.left_out:
            self.stderr.write(sentence)
        self.stdout.write(f"{target}: {len(service.operations)} operations of {service.title}.")


def _read(path: Path) -> Any:
    """What the document says: JSON or YAML."""
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise CommandError(f"{path} is neither JSON nor YAML: {error}") from error
