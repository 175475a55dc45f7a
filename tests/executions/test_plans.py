from __future__ import annotations

from typing import Any

import pytest

from executions.plans import prepared
from handlers.registry import catalogue
from tests.executions.runs import publish
from workflows.ids import uuid7
from workflows.models import WorkflowVersion

pytestmark = pytest.mark.django_db


def test_plan_is_read_once_per_process(django_assert_num_queries: Any) -> None:
    """A version never changes."""
    version = publish("start -> a")
    first = prepared(version.pk)

    with django_assert_num_queries(0):
        assert prepared(version.pk) is first


def test_configuration_is_compiled_once() -> None:
    plan = prepared(publish("start -> a", nodes={"a": {"config": {"value": "{{start.x}}"}}}).pk)

    assert plan.config("a") is plan.config("a")
    assert [str(reference) for reference in plan.config("a").references] == ["start.x"]


def test_node_type_is_that_of_the_node() -> None:
    plan = prepared(publish("start -> a").pk)

    assert [plan.node_type(node).name for node in ("start", "a")] == ["trigger", "test.echo"]


def test_names_of_env_are_those_that_any_node_mentions() -> None:
    """In templates, in conditions, inside expressions and lists; an input of that name or a text is none."""
    condition = {"conditionType": "expression", "expression": "env.IN_CONDITION == {{env['IN_BRACES']}}"}
    plan = prepared(
        publish(
            "start -> a -> if, if:true -> b",
            nodes={
                "a": {"config": {"value": ["{{env.ONE}}", {"k": "x {{ inputs.env.NO || env.TWO.length }}"}]}},
                "b": {"config": {"value": "env.NO {{env.ONE}} {{ 'env.NO' }}"}},
                "if": {"config": condition},
            },
        ).pk
    )

    assert plan.env_names == {"ONE", "TWO", "IN_CONDITION", "IN_BRACES"}


def test_names_of_env_are_known_though_a_node_type_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plug-in that was removed fails the nodes that need it, and no others."""
    version = publish("start -> a", nodes={"a": {"config": {"value": "{{env.ONE}}"}}})
    monkeypatch.delitem(catalogue._names, "test.echo")

    assert prepared(version.pk).env_names == {"ONE"}


def test_version_that_is_not_there_is_told() -> None:
    with pytest.raises(WorkflowVersion.DoesNotExist):
        prepared(uuid7())
