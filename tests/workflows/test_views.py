from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from handlers.integrations import directory
from handlers.registry import catalogue
from tests.doors import Api, data, error
from tests.factories import UserFactory, WorkflowFactory, WorkflowVersionFactory, definition
from workflows.models import Workflow, WorkflowVersion
from workflows.serializers import NodeTypeSerializer, OperationSerializer, ProviderSerializer
from workflows.services import create_workflow, publish_version, update_workflow

BROKEN: dict[str, Any] = {"nodes": {"a": {"type": "no.such.type", "name": "A", "config": {}}}, "edges": []}
ASKING: dict[str, Any] = {
    "nodes": {
        "ask": {"type": "input", "name": "Ask", "config": {"inputName": "name", "label": "Your name"}},
        "say": {"type": "output", "name": "Say", "config": {"outputName": "said", "value": "{{ask.name}}"}},
    },
    "edges": [{"id": "e1", "source": "ask", "target": "say"}],
    "note": "an unknown key is kept",
}


def names(response: Any) -> list[str]:
    return [workflow["name"] for workflow in data(response)]


class TestList:
    def test_workflows_listed_are_the_workspaces_newest_first_without_definitions(
        self, api: Api, stranger: Api
    ) -> None:
        """Deleted ones and other people's are not there."""
        old = WorkflowFactory(workspace=api.workspace, name="old", tags=["a"])
        version = WorkflowVersionFactory(workflow=WorkflowFactory(workspace=api.workspace, name="new"), number=3)
        WorkflowFactory(workspace=api.workspace, deleted_at=timezone.now())
        WorkflowFactory(workspace=stranger.workspace)

        listed = data(api.get("/workflows"))

        assert [(workflow["name"], workflow["version"]) for workflow in listed] == [("new", 3), ("old", None)]
        assert listed[1] == {
            "id": str(old.pk),
            "name": "old",
            "description": "",
            "tags": ["a"],
            "version": None,
            "created_at": old.created_at.isoformat().replace("+00:00", "Z"),
            "updated_at": old.updated_at.isoformat().replace("+00:00", "Z"),
        }
        assert version.workflow.name == "new"

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({}, ["c", "b", "Refunds a"]),
            ({"search": "refund"}, ["b", "Refunds a"]),  # name or description, in any case
            ({"search": "100%"}, ["c"]),  # a wildcard of SQL is a character here
            ({"tag": "x"}, ["c", "b"]),
            ({"tag": "x", "search": "refund"}, ["b"]),
            ({"tag": "X"}, []),
            ({"search": "", "tag": ""}, ["c", "b", "Refunds a"]),  # as clients send what they do not have
            ({"per_page": "2"}, ["c", "b"]),
            ({"per_page": "2", "page": "2"}, ["Refunds a"]),
            ({"unknown": "x"}, ["c", "b", "Refunds a"]),
        ],
    )
    def test_workflows_searched_are_those_that_fit(self, api: Api, query: dict[str, str], found: list[str]) -> None:
        """Filters narrow together."""
        WorkflowFactory(workspace=api.workspace, name="Refunds a")
        WorkflowFactory(workspace=api.workspace, name="b", description="REFUND by hand", tags=["x", "y"])
        WorkflowFactory(workspace=api.workspace, name="c", description="100% sure", tags=["x"])

        response = api.get("/workflows", query)

        assert names(response) == found

    def test_search_that_the_database_cannot_hold_is_a_400(self, api: Api) -> None:
        """NUL is no text for PostgreSQL; it must not become a 500."""
        response = api.get("/workflows", {"search": "a\x00b"})

        assert error(response, 400, "validation_error")["details"]["fields"][0]["field"] == "search"

    @pytest.mark.parametrize("number", [1, 3])
    def test_workflows_listed_cost_the_same_however_many(
        self, api: Api, django_assert_num_queries: Any, number: int
    ) -> None:
        """The key, how many, and the page: no query per workflow."""
        for _ in range(number):
            WorkflowVersionFactory(workflow=WorkflowFactory(workspace=api.workspace))
        api.get("/workflows")  # notes the use of the key, once a minute

        with django_assert_num_queries(3) as queries:
            listed = data(api.get("/workflows"))

        assert len(listed) == number
        assert not any('"definition"' in query["sql"] or '"plan"' in query["sql"] for query in queries)


class TestCreate:
    def test_workflow_created_is_published_and_told_whole(self, api: Api) -> None:
        """The answer is what a GET shows, and the issues."""
        created = data(
            api.post("/workflows", {"name": "Ask", "description": "d", "tags": ["a"], "definition": ASKING}), 201
        )

        shown = data(api.get(f"/workflows/{created['id']}"))
        assert created == {**shown, "issues": []}
        assert {name: shown[name] for name in ("name", "description", "tags", "version", "definition")} == {
            "name": "Ask",
            "description": "d",
            "tags": ["a"],
            "version": 1,
            "definition": ASKING,
        }
        assert shown["unpublished_changes"] is False
        assert shown["inputs"] == {
            "ask": {"name": "name", "type": "text", "label": "Your name", "required": True, "description": None}
        }

    def test_workflow_created_with_errors_is_a_draft_and_says_what_is_wrong(self, api: Api) -> None:
        """201 all the same: the work is kept."""
        created = data(api.post("/workflows", {"name": "Broken", "definition": BROKEN}), 201)

        assert (created["version"], created["unpublished_changes"]) == (None, True)
        assert [(issue["code"], issue["severity"], issue["node_id"]) for issue in created["issues"]] == [
            ("UNKNOWN_NODE_TYPE", "error", "a")
        ]

    @pytest.mark.parametrize(
        ("body", "fields"),
        [
            ({}, ["name", "definition"]),
            ({"name": "", "definition": {}}, ["name"]),
            ({"name": "x" * 256, "definition": {}}, ["name"]),
            ({"name": "a\x00b", "definition": {}}, ["name"]),
            ({"name": "x", "definition": []}, ["definition"]),
            ({"name": "x", "definition": {}, "defintion": {}}, ["defintion"]),
            ([], [""]),
        ],
    )
    def test_workflow_malformed_is_refused_by_field(self, api: Api, body: Any, fields: list[str]) -> None:
        """All that is wrong with the body at once, each with its field."""
        response = api.post("/workflows", body)

        details = error(response, 400, "validation_error")["details"]
        assert [wrong["field"] for wrong in details["fields"]] == fields
        assert not Workflow.objects.exists()

    def test_workflow_created_by_a_key_is_nobodys_in_particular(self, api: Api) -> None:
        """A key speaks for its workspace, not for whoever made it."""
        data(api.post("/workflows", {"name": "x", "definition": definition()}), 201)

        workflow = Workflow.objects.get()

        assert (workflow.workspace, workflow.created_by) == (api.workspace, None)


class TestRetrieve:
    def test_workflow_with_a_newer_draft_shows_the_draft_and_the_inputs_that_run_today(self, api: Api) -> None:
        """`definition` is what one edits, `inputs` what execute takes now."""
        workflow, _ = create_workflow(api.workspace.pk, name="Ask", definition=ASKING)
        update_workflow(workflow.pk, changes={"definition": definition()})

        shown = data(api.get(f"/workflows/{workflow.pk}"))

        assert (shown["definition"], shown["version"], shown["unpublished_changes"]) == (definition(), 1, True)
        assert list(shown["inputs"]) == ["ask"]

    @pytest.mark.parametrize("key", ["01890000-0000-7000-8000-000000000000", "wf_123", "1"])
    def test_workflow_that_is_not_there_is_a_404(self, api: Api, key: str) -> None:
        """An id that is no UUID is an id of nothing."""
        response = api.get(f"/workflows/{key}")

        refused = error(response, 404, "resource_not_found")
        assert refused["message"] == f"Workflow with id '{key}' not found"
        assert refused["details"] == {"resource": "Workflow", "id": key}


class TestChange:
    def test_workflow_changed_in_part_keeps_the_rest(self, api: Api) -> None:
        """PATCH says what differs; null is absent."""
        workflow, _ = create_workflow(
            api.workspace.pk, name="Old", definition=definition(), description="d", tags=["a"]
        )

        changed = data(api.patch(f"/workflows/{workflow.pk}", {"name": "New", "description": None}))

        assert (changed["name"], changed["description"], changed["tags"]) == ("New", "d", ["a"])
        assert (changed["definition"], changed["unpublished_changes"], changed["issues"]) == (definition(), False, [])

    @pytest.mark.parametrize(("body", "moved"), [({"tags": []}, True), ({}, False), ({"name": None}, False)])
    def test_workflow_changed_moves_its_time(self, api: Api, body: Any, moved: bool) -> None:
        """Caches rely on it; nothing changed is nothing new."""
        workflow = WorkflowFactory(workspace=api.workspace)
        yesterday = timezone.now() - timedelta(days=1)
        Workflow.objects.update(updated_at=yesterday)

        data(api.patch(f"/workflows/{workflow.pk}", body))

        assert (Workflow.objects.get().updated_at > yesterday) is moved

    def test_workflow_changed_into_something_broken_is_kept_and_judged(self, api: Api) -> None:
        """The draft may be wrong; what is published runs on."""
        workflow, _ = create_workflow(api.workspace.pk, name="W", definition=definition())

        changed = data(api.patch(f"/workflows/{workflow.pk}", {"definition": BROKEN}))

        assert (changed["version"], changed["unpublished_changes"]) == (1, True)
        assert [issue["code"] for issue in changed["issues"]] == ["UNKNOWN_NODE_TYPE"]

    @pytest.mark.parametrize("body", [{"name": ""}, {"version": 2}, {"definition": "{}"}])
    def test_workflow_changed_wrongly_is_refused(self, api: Api, body: Any) -> None:
        """As when it is created."""
        workflow = WorkflowFactory(workspace=api.workspace)

        response = api.patch(f"/workflows/{workflow.pk}", body)

        assert error(response, 400, "validation_error")["details"]["fields"][0]["field"] == next(iter(body))


class TestDelete:
    def test_workflow_deleted_is_gone_and_the_answer_is_json(self, api: Api) -> None:
        """The published client reads JSON from every 2xx; an empty 204 breaks it."""
        workflow = WorkflowFactory(workspace=api.workspace)

        deleted = data(api.delete(f"/workflows/{workflow.pk}"))

        assert deleted == {"id": str(workflow.pk), "deleted": True}
        assert error(api.get(f"/workflows/{workflow.pk}"), 404, "resource_not_found")["code"] == "resource_not_found"
        assert error(api.delete(f"/workflows/{workflow.pk}"), 404, "resource_not_found")["details"]["id"] == str(
            workflow.pk
        )


class TestValidate:
    @pytest.mark.parametrize(
        ("drawn", "valid", "codes"),
        [(definition(), True, []), (BROKEN, False, ["UNKNOWN_NODE_TYPE"]), ({}, False, ["NO_NODES"])],
    )
    def test_definition_validated_tells_every_issue_and_stores_nothing(
        self, api: Api, drawn: Any, valid: bool, codes: list[str]
    ) -> None:
        """200 either way: that it is wrong is the answer, not an error."""
        verdict = data(api.post("/workflows/validate", {"definition": drawn}))

        assert verdict["valid"] is valid
        assert [issue["code"] for issue in verdict["issues"] if issue["severity"] == "error"] == codes
        assert not Workflow.objects.exists()


class TestPublish:
    def test_draft_published_is_the_next_version_and_again_is_no_news(self, api: Api) -> None:
        """201 for a new version, 200 when it is published already."""
        workflow, _ = create_workflow(api.workspace.pk, name="W", definition=definition())
        update_workflow(workflow.pk, changes={"definition": ASKING})

        first = data(api.post(f"/workflows/{workflow.pk}/publish"), 201)
        second = data(api.post(f"/workflows/{workflow.pk}/publish"), 200)

        assert first == second
        assert (first["version"], first["published"], first["definition"]) == (2, True, ASKING)

    def test_draft_with_errors_is_refused_with_all_of_them(self, api: Api) -> None:
        """The author repairs in one round."""
        workflow = WorkflowFactory(workspace=api.workspace, definition=BROKEN)

        response = api.post(f"/workflows/{workflow.pk}/publish")

        issues = error(response, 400, "validation_error")["details"]["issues"]
        assert [(issue["code"], issue["node_id"]) for issue in issues] == [("UNKNOWN_NODE_TYPE", "a")]

    def test_draft_published_by_a_person_names_them(self, api: Api) -> None:
        """Versions are a history, and a history has authors."""
        ada = UserFactory(username="ada")
        workflow, _ = create_workflow(api.workspace.pk, name="W", definition=definition(), created_by=ada)
        update_workflow(workflow.pk, changes={"definition": ASKING})
        publish_version(workflow.pk)

        listed = data(api.get(f"/workflows/{workflow.pk}/versions"))

        assert [(version["version"], version["created_by"]) for version in listed] == [(2, None), (1, "ada")]


class TestVersions:
    @pytest.mark.parametrize("number", [1, 3])
    def test_versions_listed_cost_the_same_however_many(
        self, api: Api, django_assert_num_queries: Any, number: int
    ) -> None:
        """The key, the workflow, how many, and the page; no drawing is read for a list."""
        workflow = WorkflowFactory(workspace=api.workspace)
        for position in range(number):
            WorkflowVersionFactory(workflow=workflow, number=position + 1)
        api.get("/workflows")  # notes the use of the key, once a minute

        with django_assert_num_queries(4):
            listed = data(api.get(f"/workflows/{workflow.pk}/versions"))

        assert [(version["version"], version["published"]) for version in listed] == [
            (position, position == number) for position in range(number, 0, -1)
        ]
        assert not any("definition" in version for version in listed)

    def test_version_is_shown_with_its_definition(self, api: Api) -> None:
        """What ran then can be read now."""
        version = WorkflowVersionFactory(workflow=WorkflowFactory(workspace=api.workspace))

        shown = data(api.get(f"/workflows/{version.workflow_id}/versions/1"))

        assert shown == {
            "id": str(version.pk),
            "workflow_id": str(version.workflow_id),
            "version": 1,
            "published": True,
            "created_by": None,
            "created_at": version.created_at.isoformat().replace("+00:00", "Z"),
            "definition": definition(),
        }

    @pytest.mark.parametrize("number", ["2", "0", "999999999"])
    def test_version_that_is_not_there_is_a_404(self, api: Api, number: str) -> None:
        """The version is named, not the workflow: that one exists."""
        version = WorkflowVersionFactory(workflow=WorkflowFactory(workspace=api.workspace))

        response = api.get(f"/workflows/{version.workflow_id}/versions/{number}")

        assert error(response, 404, "resource_not_found")["details"] == {"resource": "Version", "id": number}
        assert WorkflowVersion.objects.count() == 1


class TestNodeTypes:
    def test_catalogue_shown_is_the_whole_of_it(self, api: Api) -> None:
        """A palette needs every type; a page of them would hide the rest."""
        shown = data(api.get("/node-types"))

        assert [entry["type"] for entry in shown] == list(catalogue)
        assert {tuple(entry) for entry in shown} == {tuple(NodeTypeSerializer().fields)}

    def test_node_type_is_found_by_name_and_by_alias(self, api: Api) -> None:
        """Existing workflows use the aliases."""
        by_name = data(api.get("/node-types/conditional"))
        by_alias = data(api.get("/node-types/if"))

        assert by_name == by_alias == catalogue["conditional"].to_json()

    def test_node_type_that_is_not_there_is_a_404(self, api: Api) -> None:
        """As any other object."""
        response = api.get("/node-types/nope")

        assert error(response, 404, "resource_not_found")["details"] == {"resource": "NodeType", "id": "nope"}

    def test_providers_of_integrations_are_shown_with_what_they_can_do(self, api: Api) -> None:
        """A form for an operation is drawn from its schema."""
        shown = data(api.get("/node-types/integration/providers"))

        assert [entry["provider"] for entry in shown] == list(directory())
        assert {tuple(entry) for entry in shown} == {tuple(ProviderSerializer().fields)}
        operations = [operation for entry in shown for operation in entry["operations"]]
        assert {tuple(operation) for operation in operations} == {tuple(OperationSerializer().fields)}

    @pytest.mark.parametrize("name", ["google-sheets", "gsheets", "Google_Sheets"])
    def test_provider_is_found_by_name_and_by_alias(self, api: Api, name: str) -> None:
        """However its words are joined, as in a definition."""
        assert data(api.get(f"/node-types/integration/providers/{name}"))["provider"] == "google-sheets"

    def test_provider_that_is_not_there_is_a_404(self, api: Api) -> None:
        response = api.get("/node-types/integration/providers/nope")

        assert error(response, 404, "resource_not_found")["details"] == {"resource": "Provider", "id": "nope"}
