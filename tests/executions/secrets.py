"""Runs in a workspace with a secret, and everything of them in which it must not be seen."""

from __future__ import annotations

import json
from typing import Any

from django.db import connection

from executions.models import Execution
from tests.executions.runs import begin
from tests.factories import VariableFactory
from tests.told import read_back

READS: Any = {"a": {"config": {"value": "{{env.KEY}}"}}}
SECRET = 'tok-"5f1c9e"\\\n€'  # what JSON, Python and URLs each spell in their own way


def prepare(drawing: str, *, secret: str = SECRET, **more: Any) -> Execution:
    """A run of *drawing*, in whose workspace KEY is a secret and REGION is not."""
    run = begin(drawing, **more)
    VariableFactory(workspace=run.workspace, name="KEY", value=secret, secret=True)
    VariableFactory(workspace=run.workspace, name="REGION", value="eu-west")
    return run


def stored(run: Execution) -> list[Any]:
    """Every row there is of the run, and the frames that its clients get."""
    found: list[Any] = []
    with connection.cursor() as cursor:
        for table in ("execution", "executionstate", "noderun", "event", "runmetadata", "memoryentry"):
            key = "id" if table == "execution" else "execution_id"
            cursor.execute(f"SELECT row_to_json(t)::text FROM executions_{table} t WHERE {key} = %s", [run.pk])
            found += [json.loads(text) for (text,) in cursor.fetchall()]
    return [*found, *read_back(run.pk)]


def texts_in(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case list():
            return [text for item in value for text in texts_in(item)]
        case dict():
            return [text for pair in value.items() for item in pair for text in texts_in(item)]
    return []


def leaks(found: Any, secret: str = SECRET) -> list[str]:
    """The texts that show *secret*, as it is or as JSON spells it."""
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return [text for text in texts_in(found) if any(form in text for form in forms)]
