from __future__ import annotations

from typing import Any

import pytest

from executions.environment import environment_of
from executions.plans import prepared
from tests.executions.runs import publish
from tests.factories import VariableFactory
from workflows.variables.services import Environment

pytestmark = pytest.mark.django_db


def test_environment_has_what_any_node_mentions_in_one_query(django_assert_num_queries: Any) -> None:
    """Of the run's own workspace."""
    version = publish(
        "start -> a -> b",
        nodes={"a": {"config": {"value": "{{env.KEY}}"}}, "b": {"config": {"value": "{{env.REGION}} {{env.NOPE}}"}}},
    )
    workspace = version.workflow.workspace
    VariableFactory(workspace=workspace, name="KEY", value="hidden", secret=True)
    VariableFactory(workspace=workspace, name="REGION", value="eu")
    VariableFactory(workspace=workspace, name="OTHER")
    VariableFactory(name="NOPE")
    plan = prepared(version.pk)

    with django_assert_num_queries(1):
        environment = environment_of(plan, workspace.pk)

    assert environment == Environment(values={"KEY": "hidden", "REGION": "eu"}, secrets=frozenset({"hidden"}))


def test_environment_of_a_plan_without_env_costs_nothing(django_assert_num_queries: Any) -> None:
    version = publish("start -> a")
    plan = prepared(version.pk)

    with django_assert_num_queries(0):
        environment = environment_of(plan, version.workflow.workspace_id)

    assert environment == Environment(values={}, secrets=frozenset())
