from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection

from tests.factories import UserFactory, WorkflowFactory, WorkflowVersionFactory, WorkspaceFactory, definition
from workflows import services
from workflows.core import InvalidDefinition, Severity, load_plan
from workflows.errors import NotPublished, UnknownVersion
from workflows.models import Workflow, WorkflowVersion

pytestmark = pytest.mark.django_db

BROKEN: dict[str, Any] = {"nodes": {"a": {"type": "no.such.type", "name": "A", "config": {}}}, "edges": []}
EDITORS = {
    "nodes": [
        {"id": "ask", "type": "input", "data": {"label": "Name", "inputName": "name"}, "position": {"x": 0, "y": 0}}
    ],
    "edges": [],
}


@pytest.mark.parametrize("drawn", [definition("start", "end"), EDITORS])
def test_workflow_created_without_errors_is_published_as_version_1(drawn: dict[str, Any]) -> None:
    """What was created can be executed: existing clients know no publishing. Either format will do."""
    ada = UserFactory()

    workflow, examined = services.create_workflow(
        WorkspaceFactory().pk, name="W", definition=drawn, tags=["a"], created_by=ada
    )

    stored = Workflow.objects.get(pk=workflow.pk)
    assert stored.published is not None
    assert (stored.published.number, stored.published.definition, stored.published.created_by) == (1, drawn, ada)
    assert load_plan(stored.published.plan) == examined.plan
    assert (stored.definition, stored.tags, stored.created_by) == (drawn, ["a"], ada)


def test_workflow_created_with_errors_is_kept_as_a_draft() -> None:
    """Work in progress is not lost, and does not run."""
    workflow, examined = services.create_workflow(WorkspaceFactory().pk, name="W", definition=BROKEN)

    assert (workflow.published, workflow.definition) == (None, BROKEN)
    assert [(issue.severity, issue.node_id) for issue in examined.issues] == [(Severity.ERROR, "a")]
    assert not WorkflowVersion.objects.exists()


def test_workflow_changed_keeps_what_is_published() -> None:
    """A change is a draft: it runs when it is published and not before."""
    version = WorkflowVersionFactory()
    before = version.definition

    workflow, examined = services.update_workflow(version.workflow.pk, changes={"definition": BROKEN, "name": "New"})

    stored = Workflow.objects.get(pk=workflow.pk)
    assert (stored.name, stored.definition, stored.published) == ("New", BROKEN, version)
    assert WorkflowVersion.objects.get().definition == before
    assert not examined.is_valid
    assert services.has_unpublished_changes(stored)


def test_draft_published_is_the_next_version() -> None:
    """Versions are numbered from 1, and the newest published one runs."""
    first = WorkflowVersionFactory()
    ada = UserFactory()
    services.update_workflow(first.workflow.pk, changes={"definition": definition("start", "end")})

    version, is_new = services.publish_version(first.workflow.pk, published_by=ada)

    assert (version.number, is_new, version.created_by) == (2, True, ada)
    assert Workflow.objects.get().published == version
    assert [node.id for node in load_plan(version.plan).nodes] == ["start", "end"]


def test_draft_published_already_is_not_published_again() -> None:
    """Publishing twice is no second version."""
    first = WorkflowVersionFactory()

    version, is_new = services.publish_version(first.workflow.pk)

    assert (version, is_new) == (first, False)
    assert WorkflowVersion.objects.count() == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [({"value": 1}, {"value": 1.0}), ({"value": 1}, {"value": True}), ({"a": 1, "b": 2}, {"b": 2, "a": 1})],
)
def test_draft_that_differs_only_to_json_is_a_change(old: dict[str, Any], new: dict[str, Any]) -> None:
    """To Python 1, 1.0 and true are equal; to whoever reads the JSON they are not."""
    drawn = definition()
    drawn["nodes"]["start"]["config"] = old
    first = WorkflowVersionFactory(workflow=WorkflowFactory(definition=drawn))
    changed = definition()
    changed["nodes"]["start"]["config"] = new
    services.update_workflow(first.workflow.pk, changes={"definition": changed})

    version, is_new = services.publish_version(first.workflow.pk)

    assert (version.number, is_new) == (2, True)


def test_draft_with_errors_is_not_published() -> None:
    """A version is never wrong; the refusal lists everything."""
    workflow = WorkflowFactory(definition=BROKEN)

    with pytest.raises(InvalidDefinition) as refused:
        services.publish_version(workflow.pk)

    assert [issue.node_id for issue in refused.value.issues] == ["a"]
    assert not WorkflowVersion.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_drafts_published_at_the_same_time_get_numbers_one_after_the_other() -> None:
    """Whoever publishes holds the workflow's row: no number is given twice, and none is lost."""
    workflow = WorkflowFactory()
    lined_up = threading.Barrier(4)

    def publish(number: int) -> None:
        try:
            lined_up.wait(10)
            services.update_workflow(workflow.pk, changes={"definition": definition(f"start{number}")})
            services.publish_version(workflow.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=publish, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    numbers = sorted(WorkflowVersion.objects.values_list("number", flat=True))
    newest = Workflow.objects.get().published
    assert numbers == list(range(1, len(numbers) + 1))
    assert newest is not None
    assert newest.number == numbers[-1]


def test_version_to_run_is_the_published_one_unless_another_is_named() -> None:
    """An older version can be run by its number."""
    first = WorkflowVersionFactory()
    second = WorkflowVersionFactory(workflow=first.workflow, number=2)

    chosen = [services.version_to_run(first.workflow, number) for number in (None, 1, 2)]

    assert chosen == [second, first, second]


def test_version_to_run_that_does_not_exist_is_refused() -> None:
    """A number is not rounded to the nearest version."""
    version = WorkflowVersionFactory()

    with pytest.raises(UnknownVersion) as refused:
        services.version_to_run(version.workflow, 2)

    assert refused.value.number == 2


def test_version_to_run_of_an_unpublished_workflow_is_refused_with_what_is_in_the_way() -> None:
    """The caller learns why nothing was published."""
    workflow = WorkflowFactory(definition=BROKEN)

    with pytest.raises(NotPublished) as refused:
        services.version_to_run(workflow)

    assert [issue.node_id for issue in refused.value.issues] == ["a"]


def test_version_to_run_leaves_its_drawing_in_the_database(django_assert_num_queries: Any) -> None:
    """A run is started from the plan that the process keeps: megabytes of JSON are not read for each."""
    version = WorkflowVersionFactory()

    chosen = services.version_to_run(Workflow.objects.defer("definition").get())

    assert chosen.get_deferred_fields() == {"definition", "plan"}
    with django_assert_num_queries(0):
        assert chosen.workflow.name == version.workflow.name


def test_workflow_deleted_is_out_of_sight_and_its_versions_stay() -> None:
    """Runs keep the version they were started with for life."""
    version = WorkflowVersionFactory()

    services.delete_workflow(version.workflow.pk)

    assert not Workflow.objects.alive().exists()
    assert WorkflowVersion.objects.get() == version


@pytest.mark.parametrize("verb", [services.delete_workflow, services.publish_version])
def test_workflow_deleted_meanwhile_is_not_there(verb: Any) -> None:
    """Two people, one workflow: the second hears that it is gone."""
    workflow = WorkflowFactory()
    services.delete_workflow(workflow.pk)

    with pytest.raises(Workflow.DoesNotExist):
        verb(workflow.pk)
