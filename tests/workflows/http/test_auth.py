from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.doors import Api, data, error
from tests.factories import MemberFactory, UserFactory, WorkflowFactory, WorkspaceFactory
from workflows.workspaces import keys
from workflows.workspaces.roles import ALL_SCOPES, ROLE_SCOPES, Role

LIST = "/api/v1/workflows"


def test_key_in_either_header_opens_its_workspace(api: Api) -> None:
    """Bearer and X-API-Key are the same door, and a key sees its own workspace only."""
    mine = WorkflowFactory(workspace=api.workspace)
    WorkflowFactory()

    seen = [
        [workflow["id"] for workflow in data(Client().get(LIST, headers=headers))]
        for headers in ({"Authorization": f"bearer {api.text}"}, {"X-API-Key": api.text})
    ]

    assert seen == [[str(mine.pk)]] * 2


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "API key is missing: send Authorization: Bearer fm_live_… or X-API-Key."),
        ({"Authorization": "Basic YWRhOnB3"}, "API key is missing: send Authorization: Bearer fm_live_… or X-API-Key."),
        ({"Authorization": "Bearer"}, "Invalid API key format."),
        ({"X-API-Key": "fm_live_short"}, "Invalid API key format."),
        ({"X-API-Key": keys.new_key()}, "API key not found."),
    ],
)
def test_key_that_is_none_of_ours_is_a_401(db: None, headers: dict[str, str], message: str) -> None:
    """Missing, malformed and unknown share a code; the sentence says which it is."""
    response = Client().get(LIST, headers=headers)

    assert error(response, 401, "invalid_api_key")["message"] == message
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


YESTERDAY = timezone.now() - timedelta(days=1)
TOMORROW = timezone.now() + timedelta(days=1)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ({"revoked_at": YESTERDAY}, "revoked_api_key"),
        ({"expires_at": YESTERDAY}, "expired_api_key"),
        ({"revoked_at": YESTERDAY, "expires_at": YESTERDAY}, "revoked_api_key"),  # revoked is looked at first
    ],
)
def test_key_that_is_spent_is_a_401_that_says_how(db: None, key: dict[str, Any], code: str) -> None:
    """Who holds the key learns whether to ask for another or to look for a leak."""
    api = Api(WorkspaceFactory(), **key)

    response = api.get("/workflows")

    assert error(response, 401, code)["code"] == code


def test_key_that_expires_later_is_good(db: None) -> None:
    """A key works until it expires."""
    api = Api(WorkspaceFactory(), expires_at=TOMORROW)

    response = api.get("/workflows")

    assert data(response) == []


def test_key_used_is_seen_to_be_used(api: Api) -> None:
    """Operators tell dead keys from live ones by this."""
    before = timezone.now()

    api.get("/workflows")

    api.key.refresh_from_db()
    assert api.key.last_used_at is not None
    assert before <= api.key.last_used_at <= timezone.now()


def test_key_with_another_workspace_named_is_a_404(api: Api) -> None:
    """A key belongs to one workspace; naming another is a mistake that must not be served from the wrong one."""
    other = WorkspaceFactory()

    named = api.get("/workflows", X_Workspace_Id=str(other.pk))
    own = api.get("/workflows", X_Workspace_Id=str(api.workspace.pk).upper())

    assert error(named, 404, "resource_not_found")["details"] == {"resource": "Workspace", "id": str(other.pk)}
    assert data(own) == []


def test_session_of_a_member_opens_their_workspace(db: None) -> None:
    """A person with one workspace need not name it."""
    member = MemberFactory(role=Role.VIEWER)
    mine = WorkflowFactory(workspace=member.workspace)
    browser = Client()
    browser.force_login(member.user)

    response = browser.get(LIST)

    assert [workflow["id"] for workflow in data(response)] == [str(mine.pk)]


def test_session_in_several_workspaces_has_to_name_one(db: None) -> None:
    """Guessing would show, or change, the wrong one; the answer lists those to choose from."""
    ada = UserFactory()
    first, second = (MemberFactory(user=ada, workspace=WorkspaceFactory(name=name)) for name in ("A", "B"))
    mine = WorkflowFactory(workspace=second.workspace)
    browser = Client()
    browser.force_login(ada)

    unnamed = browser.get(LIST)
    named = browser.get(LIST, headers={"X-Workspace-Id": str(second.workspace_id)})

    assert error(unnamed, 400, "workspace_required")["details"] == {
        "workspaces": [
            {"id": str(first.workspace_id), "name": "A"},
            {"id": str(second.workspace_id), "name": "B"},
        ]
    }
    assert [workflow["id"] for workflow in data(named)] == [str(mine.pk)]


@pytest.mark.parametrize("named", ["01890000-0000-7000-8000-000000000000", "no-uuid", ""])
def test_session_naming_a_workspace_they_are_not_in_is_a_404(db: None, named: str) -> None:
    """Whether it exists is none of their business."""
    member = MemberFactory()
    browser = Client()
    browser.force_login(member.user)

    response = browser.get(LIST, headers={"X-Workspace-Id": named})

    assert error(response, 404, "resource_not_found")["details"] == {"resource": "Workspace", "id": named}


def test_session_of_somebody_without_a_workspace_is_a_403(db: None) -> None:
    """They are known, and may do nothing yet."""
    browser = Client()
    browser.force_login(UserFactory())

    response = browser.get(LIST)

    assert error(response, 403, "no_workspace")["code"] == "no_workspace"


def test_session_of_somebody_who_was_locked_out_is_a_401(db: None) -> None:
    """Switching a person off ends their sessions."""
    member = MemberFactory()
    browser = Client()
    browser.force_login(member.user)
    type(member.user).objects.filter(pk=member.user.pk).update(is_active=False)

    response = browser.get(LIST)

    assert error(response, 401, "invalid_api_key")["code"] == "invalid_api_key"


def test_session_writing_without_a_csrf_token_is_refused(db: None) -> None:
    """Another site can make a browser send the cookie, but not the token."""
    member = MemberFactory()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(member.user)

    response = browser.post(LIST, {"name": "x", "definition": {}}, content_type="application/json")

    assert error(response, 403, "csrf_failed")["code"] == "csrf_failed"
    assert not member.workspace.workflows.exists()


@pytest.mark.parametrize("role", Role)
def test_role_of_a_member_decides_what_they_may(db: None, role: Role) -> None:
    """A role is a set of scopes: what it lacks is refused by name."""
    member = MemberFactory(role=role)
    browser = Client()
    browser.force_login(member.user)

    response = browser.post(LIST, {"name": "x", "definition": {}}, content_type="application/json")

    if "workflows:write" in ROLE_SCOPES[role]:
        assert response.status_code == 201
    else:
        assert error(response, 403, "insufficient_scope")["details"]["your_scopes"] == sorted(ROLE_SCOPES[role])


def test_roles_all_have_their_scopes_and_the_owner_has_every_one() -> None:
    """One table for people and keys; a role that is missing in it could not sign in."""
    assert set(ROLE_SCOPES) == set(Role)
    assert ROLE_SCOPES[Role.OWNER] == ALL_SCOPES
