"""What a node returned is read back as it was, to the letter, by whichever statement it was written."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from executions import hotpath
from executions.core import NodeStatus
from executions.leases import lease
from executions.models import Execution, NodeRun
from tests.executions.runs import begin, nested, returned, row
from tests.executions.steps import outcome, save
from tests.fakes import Messages
from workflows.fields import dumps
from workflows.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)

VALUES: dict[str, Any] = {
    "NUL": {"a\0b": "\0", "escaped": "\\u0000"},
    "half a surrogate pair": ["\ud83d", {"\udc00": "\ud83d"}],
    "beyond ASCII": {"grüße": "日本語 \U0001f600 \u2028"},
    "quotes and backslashes": ['"', "\\", "\\\\u0000", "</script>", "'", "%s %(x)s {}"],
    "control characters": ["\t\n\r\x01\x1f\x7f"],
    "large integers": [10**400, -(10**400), 2**63, 2**64],
    "floats": [1.0, -0.0, 0.1, 1e308, 5e-324, 1e22],
    "order of keys": {"b": 1, "a": 2, "": 3, "A": 4},
    "nothing": [None, "", [], {}, False, 0],
    "many levels": nested(199),
    "a megabyte": "m" * 2**20,
}


@pytest.mark.parametrize("name", VALUES)
def test_recorded_output(mine: NodeRun, name: str) -> None:
    text = dumps(VALUES[name])

    hotpath.record(outcome(mine, output=text, error=text, logs=text), owner=lease.id())

    check(mine, text)


@pytest.mark.parametrize("name", VALUES)
def test_output_written_with_a_step(run: Execution, mine: NodeRun, name: str) -> None:
    text = dumps(VALUES[name])

    save(run, state=text, done=outcome(mine, output=text, error=text, logs=text))

    check(mine, text)
    assert text_of("executions_executionstate", "state", "execution_id", run.pk) == text


@pytest.mark.parametrize("name", VALUES)
def test_output_of_a_pure_node(run: Execution, name: str) -> None:
    text, now = dumps(VALUES[name]), timezone.now()
    ended = hotpath.Recorded(
        id=uuid7(),
        attempt=1,
        status=NodeStatus.COMPLETED,
        handled=False,
        started_at=now,
        ended_at=now,
        output=text,
        error=text,
        logs=text,
    )
    born = hotpath.NewRow(
        id=ended.id, node_id="j", scope="", node_type="t", lane="io", status=ended.status, ready_at=now, ended=ended
    )

    save(run, born=[born])

    check(row(run, "j"), text)


def check(node: NodeRun, text: str) -> None:
    columns = [text_of("executions_noderun", column, "id", node.pk) for column in ("output", "error", "logs")]
    assert columns == [text] * 3
    assert hotpath.outputs(node.execution_id, [("", node.node_id)]) == {("", node.node_id): text}


@pytest.mark.parametrize("name", VALUES)
def test_inputs_and_outputs_of_a_run(messages: Messages, name: str) -> None:
    """From end to end: given, handed on by a pure node and by an effect, put out."""
    run = begin(
        "start -> p -> e",
        types={"start": "trigger", "e": "test.count"},
        nodes={"p": {"config": {"value": "{{start.given}}"}}, "e": {"config": {"value": "{{p.result}}"}}},
        inputs={"given": VALUES[name]},
    )

    messages.deliver_all()

    assert dumps(returned(run)["e"]["result"]) == dumps(run.inputs["given"])


def text_of(table: str, column: str, key: str, value: UUID) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column}::text FROM {table} WHERE {key} = %s", [value])
        return cursor.fetchone()[0]
