from __future__ import annotations

from typing import Any

import pytest

from tests.doors import Api, data
from tests.factories import CredentialFactory, WorkspaceFactory
from tests.graphs import draw
from workflows.credentials.mentions import find_missing
from workflows.ids import uuid7

pytestmark = pytest.mark.django_db


def drawn(*configs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A workflow whose nodes n0, n1, … are requests with these configurations besides."""
    ids = [f"n{number}" for number in range(len(configs))]
    nodes = {
        name: {"config": {"url": "https://a.b", **config}, **more} for name, config in zip(ids, configs, strict=True)
    }
    return draw(" -> ".join(["start", *ids]), default="http", nodes=nodes)


def test_credentials_that_are_there_are_named_by_id_or_name(django_assert_num_queries: Any) -> None:
    """However many there are, one query asks for them."""
    shop = CredentialFactory(name="Shop")
    CredentialFactory(workspace=shop.workspace, name="Bank")
    definition = drawn({"connectionId": "Shop"}, {"connectionId": str(shop.pk).upper()}, {"connectionId": " Bank "})

    with django_assert_num_queries(1):
        assert find_missing(shop.workspace_id, definition) == []


@pytest.mark.parametrize("name", ["Nobody's", "01900000-0000-7000-8000-00000000dead"])
def test_credential_that_is_missing_is_a_warning_at_its_field(name: str) -> None:
    [issue] = find_missing(WorkspaceFactory().pk, drawn({"connectionId": name}))

    assert (issue.code, issue.severity, issue.node_id, issue.field) == (
        "INVALID_CONNECTION_ID",
        "warning",
        "n0",
        "connectionId",
    )
    assert repr(name) in issue.message


def test_credential_of_another_workspace_is_missing() -> None:
    theirs = CredentialFactory(name="Theirs")

    issues = find_missing(WorkspaceFactory().pk, drawn({"connectionId": "Theirs"}, {"connectionId": str(theirs.pk)}))

    assert [issue.node_id for issue in issues] == ["n0", "n1"]


def test_credential_named_deep_in_a_configuration_is_told_by_its_path() -> None:
    definition = drawn({"fallbacks": [{"connectionId": "A"}, {"more": {"connectionId": "B"}}]})

    fields = [issue.field for issue in find_missing(WorkspaceFactory().pk, definition)]

    assert fields == ["fallbacks.0.connectionId", "fallbacks.1.more.connectionId"]


@pytest.mark.parametrize("config", [{}, {"connectionId": None}, {"connectionId": ""}, {"connectionId": "{{inputs.x}}"}])
def test_what_only_the_run_can_know_is_not_asked_about(config: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert find_missing(uuid7(), drawn(config)) == []


def test_disabled_node_needs_no_credential() -> None:
    assert find_missing(uuid7(), drawn({"connectionId": "A"}, disabled=True)) == []


@pytest.mark.parametrize("definition", [{}, {"nodes": 7}, {"nodes": {}, "edges": []}])
def test_definition_of_no_shape_names_nothing(definition: Any) -> None:
    assert find_missing(uuid7(), definition) == []


def test_warning_is_told_by_every_door_and_stands_in_no_way(api: Api) -> None:
    """When it is validated, created, changed; published it is all the same."""
    definition = drawn({"connectionId": "Shop"})

    verdict = data(api.post("/workflows/validate", {"definition": definition}))
    created = data(api.post("/workflows", {"name": "W", "definition": definition}), 201)
    CredentialFactory(workspace=api.workspace, name="Shop")
    changed = data(api.patch(f"/workflows/{created['id']}", {"definition": definition}))

    assert (verdict["valid"], [issue["code"] for issue in verdict["issues"]]) == (True, ["INVALID_CONNECTION_ID"])
    assert (created["version"], [issue["code"] for issue in created["issues"]]) == (1, ["INVALID_CONNECTION_ID"])
    assert changed["issues"] == []
