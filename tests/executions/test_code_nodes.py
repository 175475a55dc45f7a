"""Programs on the real engine: what they are given of a run, and what the run has of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.executions.runs import outputs, row
from tests.executions.secrets import SECRET, leaks, prepare, stored
from tests.fakes import Messages
from tests.handlers.sandboxes import switched_on

__all__ = ["switched_on"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("switched_on")]

TYPES = {"start": "trigger", "a": "test.echo", "b": "code"}


def drawn(**config: Any) -> dict[str, Any]:
    return {"a": {"config": {"value": [1, 2, 3]}}, "b": {"config": config}}


@pytest.mark.parametrize(
    "config",
    [
        {"language": "python", "code": "result = sum(a['result'])", "inputVariables": ["a"]},
        {"language": "python", "code": "result = sum(rows)", "inputs": {"rows": "{{a.result}}"}},
        {"language": "javascript", "code": "return inputs.a.result.reduce((sum, n) => sum + n, 0)"},
    ],
    ids=["by name", "by reference", "by mention"],
)
def test_program_is_given_outputs_of_the_nodes_before_it(messages: Messages, config: Any) -> None:
    run = prepare("start -> a -> b", types=TYPES, nodes=drawn(**config))

    messages.deliver_all()

    assert outputs(run)["b"]["output"] == 6


def test_secret_that_a_program_is_given_is_not_told(messages: Messages) -> None:
    config = {
        "language": "python",
        "code": "import sys\nprint(key)\nprint(key, file=sys.stderr)\nresult = {'key': key, 'length': len(key)}",
        "inputs": {"key": "{{env.KEY}}"},
    }
    run = prepare("start -> a -> b", types=TYPES, nodes=drawn(**config))

    messages.deliver_all()

    assert outputs(run)["b"]["output"] == {"key": "•••", "length": len(SECRET)}
    assert leaks(stored(run)) == []
    assert [line[2] for line in row(run, "b").logs] == ["•••", "•••"]  # though it has several lines


def test_program_that_fails_is_told_with_its_lines(messages: Messages) -> None:
    config = {"language": "python", "code": "x = 1\nprint('before')\nraise ValueError('no')"}
    run = prepare("start -> a -> b", types=TYPES, nodes=drawn(**config))

    messages.deliver_all()

    error = row(run, "b").error
    assert (error["code"], error["message"]) == ("code_failed", "ValueError: no")
    assert 'File "<code>", line 3' in error["details"]["traceback"]
    assert [line[1:] for line in row(run, "b").logs] == [["info", "before"]]
