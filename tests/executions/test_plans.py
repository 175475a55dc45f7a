from __future__ import annotations

from typing import Any

import pytest

from executions.plans import prepared
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


def test_version_that_is_not_there_is_told() -> None:
    with pytest.raises(WorkflowVersion.DoesNotExist):
        prepared(uuid7())
