from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.doors import Api, data, error
from tests.factories import MemberFactory, VariableFactory
from workflows.models import Variable
from workflows.variables.services import environment
from workflows.workspaces.roles import Role

SECRET = {"name": "TOKEN", "value": "tok-5f1c9e", "secret": True}


def stamp(moment: Any) -> str:
    return moment.isoformat().replace("+00:00", "Z")


class TestList:
    def test_variables_listed_are_the_workspaces_by_name_without_secret_values(self, api: Api, stranger: Api) -> None:
        hidden = VariableFactory(workspace=api.workspace, name="TOKEN", value="tok-5f1c9e", secret=True)
        VariableFactory(workspace=api.workspace, name="REGION", value="eu")
        VariableFactory(workspace=stranger.workspace, name="THEIRS")

        response = api.get("/variables")

        assert [(one["name"], one["value"], one["secret"]) for one in data(response)] == [
            ("REGION", "eu", False),
            ("TOKEN", None, True),
        ]
        assert data(response)[1] == {
            "id": str(hidden.pk),
            "name": "TOKEN",
            "value": None,
            "secret": True,
            "created_at": stamp(hidden.created_at),
            "updated_at": stamp(hidden.updated_at),
        }
        assert hidden.value not in response.content.decode()

    @pytest.mark.parametrize("number", [1, 3])
    def test_variables_listed_cost_the_same_however_many(
        self, api: Api, django_assert_num_queries: Any, number: int
    ) -> None:
        """The key, how many, and the page."""
        VariableFactory.create_batch(number, workspace=api.workspace)
        api.get("/variables")  # notes the use of the key, once a minute

        with django_assert_num_queries(3):
            assert len(data(api.get("/variables"))) == number

    def test_variables_are_listed_in_pages(self, api: Api) -> None:
        for name in "CAB":
            VariableFactory(workspace=api.workspace, name=name)

        response = api.get("/variables", {"per_page": "2", "page": "2"})

        assert [one["name"] for one in data(response)] == ["C"]
        assert response.json()["pagination"]["total_count"] == 3


class TestCreate:
    def test_secret_created_is_told_without_its_value(self, api: Api) -> None:
        """By no door: not in the answer, not when it is read, not when the request is repeated."""
        responses = [api.post("/variables", SECRET, Idempotency_Key="once") for _ in range(2)]
        responses.append(api.get(f"/variables/{data(responses[0], 201)['id']}"))

        assert data(responses[0], 201) == data(responses[1], 201) == data(responses[2])
        assert (data(responses[2])["name"], data(responses[2])["value"]) == ("TOKEN", None)
        assert not any("5f1c9e" in response.content.decode() for response in responses)
        assert environment(api.workspace.pk, ["TOKEN"]).secrets == {"tok-5f1c9e"}
        assert Variable.objects.count() == 1

    def test_variable_is_plain_unless_it_is_said_to_be_secret(self, api: Api) -> None:
        created = data(api.post("/variables", {"name": "REGION", "value": " eu "}), 201)

        assert (created["value"], created["secret"]) == (" eu ", False)

    @pytest.mark.parametrize(
        ("body", "field", "part"),
        [
            ({"value": "x"}, "name", "required"),
            ({"name": "A"}, "value", "required"),
            ({"name": "1A", "value": "x"}, "name", "does not begin with a digit"),
            ({"name": "A-B", "value": "x"}, "name", "does not begin with a digit"),
            ({"name": "A" * 129, "value": "x"}, "name", "128 characters"),
            ({"name": "A", "value": "x" * 32_769}, "value", "32768 characters"),
            ({"name": "A", "value": "a\0b"}, "value", "Null characters"),
            ({"name": "A", "value": "abc", "secret": True}, "value", "at least 4 characters"),
            ({"name": "A", "value": "abc•", "secret": True}, "value", "contains no •"),
            ({"name": "A", "value": "x", "hidden": True}, "hidden", "Unknown field"),
        ],
    )
    def test_variable_that_cannot_be_is_refused_by_its_field(self, api: Api, body: Any, field: str, part: str) -> None:
        response = api.post("/variables", body)

        [wrong] = error(response, 400, "validation_error")["details"]["fields"]
        assert wrong["field"] == field
        assert part in wrong["message"]
        assert not Variable.objects.exists()

    def test_name_that_is_taken_is_a_409(self, api: Api) -> None:
        VariableFactory(workspace=api.workspace, name="TOKEN", value="first")

        refused = error(api.post("/variables", SECRET), 409, "name_taken")

        assert refused["details"]["fields"][0]["field"] == "name"
        assert environment(api.workspace.pk, ["TOKEN"]).values == {"TOKEN": "first"}


class TestChange:
    def test_secret_changed_is_told_without_its_value(self, api: Api) -> None:
        variable = VariableFactory(workspace=api.workspace, name="TOKEN", value="tok-old", secret=True)

        response = api.patch(f"/variables/{variable.pk}", {"value": "tok-new", "name": "KEY"})

        assert (data(response)["name"], data(response)["value"]) == ("KEY", None)
        assert environment(api.workspace.pk, ["KEY"]).values == {"KEY": "tok-new"}

    def test_secret_does_not_become_readable(self, api: Api) -> None:
        """Otherwise write-only would mean nothing to who may write."""
        variable = VariableFactory(workspace=api.workspace, value="tok-5f1c9e", secret=True)

        refused = error(api.patch(f"/variables/{variable.pk}", {"secret": False}), 400, "validation_error")
        changed = data(api.patch(f"/variables/{variable.pk}", {"secret": False, "value": "open"}))

        assert refused["details"]["fields"][0]["field"] == "secret"
        assert (changed["value"], changed["secret"]) == ("open", False)

    def test_name_of_another_is_a_409(self, api: Api) -> None:
        VariableFactory(workspace=api.workspace, name="A")
        variable = VariableFactory(workspace=api.workspace, name="B")

        error(api.patch(f"/variables/{variable.pk}", {"name": "A"}), 409, "name_taken")

    def test_variable_deleted_is_gone(self, api: Api) -> None:
        variable = VariableFactory(workspace=api.workspace)

        assert data(api.delete(f"/variables/{variable.pk}")) == {"id": str(variable.pk), "deleted": True}
        error(api.get(f"/variables/{variable.pk}"), 404, "resource_not_found")
        error(api.delete(f"/variables/{variable.pk}"), 404, "resource_not_found")


@pytest.mark.parametrize(
    ("role", "may_write"),
    [(Role.OWNER, True), (Role.EDITOR, True), (Role.OPERATOR, False), (Role.VIEWER, False)],
)
def test_role_decides_who_sets_variables(db: None, role: Role, may_write: bool) -> None:
    """Everybody in the workspace sees the names; who may write workflows may write what they read."""
    member = MemberFactory(role=role)
    variable = VariableFactory(workspace=member.workspace, name="A")
    browser = Client()
    browser.force_login(member.user)
    path = f"/api/v1/variables/{variable.pk}"

    read = [browser.get(address).status_code for address in ("/api/v1/variables", path)]
    written = [
        browser.post("/api/v1/variables", SECRET, content_type="application/json"),
        browser.patch(path, {"value": "new"}, content_type="application/json"),
        browser.delete(path),
    ]

    assert read == [200, 200]
    assert [response.status_code for response in written] == ([201, 200, 200] if may_write else [403] * 3)
    assert Variable.objects.filter(name="A").exists() is not may_write


@pytest.mark.parametrize("scopes", [["workflows:read"], ["workflows:write", "workflows:read"]])
def test_key_without_credentials_write_changes_nothing(api: Api, scopes: list[str]) -> None:
    """To draw workflows is one scope, to set secrets another."""
    variable = VariableFactory(workspace=api.workspace, name="A", value="was")
    limited = Api(api.workspace, scopes=scopes)

    answers = [
        limited.post("/variables", SECRET),
        limited.patch(f"/variables/{variable.pk}", {"value": "new"}),
        limited.delete(f"/variables/{variable.pk}"),
    ]

    for answer in answers:
        assert error(answer, 403, "insufficient_scope")["details"]["missing_scopes"] == ["credentials:write"]
    assert list(Variable.objects.values_list("name", "value")) == [("A", "was")]
