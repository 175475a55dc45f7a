from __future__ import annotations

from collections.abc import Mapping
from threading import Timer
from typing import Any

import pytest

from handlers import Cancelled, ConfigError, InputError, check_config
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.sandboxes import switched_on
from workflows.core import build_plan, parse_definition

__all__ = ["switched_on"]


@pytest.mark.usefixtures("switched_on")
@pytest.mark.parametrize(
    ("language", "code"),
    [("python", "print('adding')\nresult = a + b"), ("javascript", "console.log('adding'); return a + b")],
)
def test_a_program_is_given_its_variables_and_answers_with_its_result(language: str, code: str) -> None:
    lent = RecordingLent()
    data = run("code", {"language": language, "code": code, "inputs": {"a": 2, "b": 3}}, lent=lent).data

    took = data["metadata"].pop("executionTime")
    assert data == {
        "language": language,
        "output": 5,
        "stdout": "adding\n",
        "stderr": "",
        "metadata": {"exitCode": 0},
    }
    assert took > 0
    assert lent.logs == [("info", "adding")]


@pytest.mark.usefixtures("switched_on")
def test_a_cancelled_node_lets_go_of_its_program() -> None:
    lent = RecordingLent()
    Timer(0.3, lent.cancel).start()

    with pytest.raises(Cancelled):
        run("code", {"language": "javascript", "code": "while (true);"}, lent=lent)


@pytest.mark.usefixtures("switched_on")
def test_a_program_that_fails_fails_its_node() -> None:
    with pytest.raises(InputError, match="KeyError: 'x'") as caught:
        run("code", {"language": "python", "code": "{}['x']"})

    assert (caught.value.code, caught.value.retryable) == ("code_failed", False)


def test_code_is_off_until_the_site_switches_it_on() -> None:
    with pytest.raises(ConfigError) as caught:
        run("code", {"language": "python", "code": "result = 1"})

    assert caught.value.code == "code_disabled"


def test_input_variables_are_references_by_the_same_name() -> None:
    implied = CATALOGUE["code"].handler.implied(
        "code", {"inputVariables": ["order", "rows"], "inputs": {"rows": "{{fetch.data}}"}}
    )

    assert implied == {"inputs": {"order": "{{order}}", "rows": "{{fetch.data}}"}}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("const a = inputs.order.total; return variables.rows?.length", ["order", "rows"]),
        ("inputs['order'] + inputs[\"order\"] + inputs ?.note", ["order", "note"]),
        ("result = inputs.get('order')", ["get"]),  # the dictionary's own: nothing is called so, and it is null
        ("myinputs.order", None),
        ("inputs.class", None),
        ("return 1", None),
    ],
)
def test_what_a_program_mentions_is_what_it_is_given(code: str, names: list[str] | None) -> None:
    """Existing workflows say it nowhere else."""
    implied = CATALOGUE["code"].handler.implied("code", {"language": "javascript", "code": code})

    assert implied == ({} if names is None else {"inputs": {name: f"{{{{{name}}}}}" for name in names}})
    assert CATALOGUE["code"].handler.implied("code", {"code": code, "inputs": {}}) == {}


def test_a_plan_refers_to_what_the_input_variables_name() -> None:
    definition = {
        "name": "code",
        "nodes": {
            "start": {"type": "trigger", "config": {}},
            "count": {
                "type": "code",
                "config": {"language": "python", "code": "result = len(rows)", "inputVariables": ["rows"]},
            },
        },
        "edges": [{"id": "e", "source": "start", "target": "count"}],
        "entryPoint": "start",
    }

    assert "'{{rows}}'" in repr(build_plan(parse_definition(definition)))


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"language": "shell", "code": "ls"}, "language"),
        ({"language": "ruby", "code": "1"}, "language"),
        ({"language": "python", "code": ""}, "code"),
        ({"language": "python", "code": "1", "timeout": 300_001}, "timeout"),
        ({"language": "python", "code": "1", "memory": 1024}, "memory"),
        ({"language": "python", "code": "1", "inputVariables": ["a.b"]}, "inputVariables"),
        ({"language": "python", "code": "1", "inputVariables": ["class"]}, "inputVariables"),
        ({"language": "python", "code": "1", "inputVariables": [1]}, "inputVariables"),
        ({"language": "python", "code": "1", "inputs": {"new": 1}}, "inputs"),
        ({"language": "python", "code": "1", "allowNetworkAccess": True}, "allowNetworkAccess"),
        ({"language": "python", "code": "1", "allowFileSystemAccess": True}, "allowFileSystemAccess"),
    ],
)
def test_what_cannot_run_is_told_when_it_is_drawn(config: Mapping[str, Any], field: str) -> None:
    wrong = check_config(CATALOGUE["code"], config)

    assert field in {place.partition(".")[0] for place, _ in wrong}


def test_what_old_definitions_say_without_asking_for_more_is_fine() -> None:
    config = {
        "language": "python",
        "code": "result = '{{order}}'",
        "timeout": 30000,
        "memory": 256,
        "allowNetworkAccess": False,
        "allowFileSystemAccess": False,
        "outputVariable": "total",
    }

    assert check_config(CATALOGUE["code"], config) == []
