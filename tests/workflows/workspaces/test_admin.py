from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tests.doors import data
from tests.factories import ApiKeyFactory, MemberFactory, UserFactory, WorkspaceFactory
from workflows.models import ApiKey, Member, User, Workspace
from workflows.workspaces import keys


@pytest.fixture
def admin(db: None) -> User:
    return UserFactory(username="root", is_staff=True, is_superuser=True)


@pytest.fixture
def browser(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def add_key(browser: Client, workspace: Workspace, **fields: Any) -> Any:
    body = {
        "workspace": str(workspace.pk),
        "name": "ci",
        "scopes": ["workflows:read"],
        "expires_at_0": "",
        "expires_at_1": "",
    }
    return browser.post("/admin/workflows/apikey/add/", body | fields, follow=True)


def test_key_added_is_shown_once_and_works(browser: Client, admin: User) -> None:
    """The message after saving is the only place where it can be read."""
    workspace = WorkspaceFactory()

    added = add_key(browser, workspace)
    [text] = re.findall(r"<code>(fm_live_\w+)</code>", added.content.decode())
    later = browser.get(f"/admin/workflows/apikey/{ApiKey.objects.get().pk}/change/")

    key = ApiKey.objects.get()
    assert (key.digest, key.workspace, key.scopes, key.created_by) == (
        keys.digest(text),
        workspace,
        ["workflows:read"],
        admin,
    )
    assert data(Client().get("/api/v1/workflows", headers={"X-API-Key": text})) == []
    assert text not in later.content.decode()
    assert key.digest not in later.content.decode()


def test_key_added_with_a_scope_that_does_not_exist_is_refused(browser: Client) -> None:
    """The form knows the scopes there are."""
    response = add_key(browser, WorkspaceFactory(), scopes=["workflows:everything"])

    assert list(response.context["errors"]) == [
        ["Select a valid choice. workflows:everything is not one of the available choices."]
    ]
    assert not ApiKey.objects.exists()


def test_key_is_not_changed_and_not_deleted(browser: Client) -> None:
    """Who holds a key may rely on what it can do; who lost one is told that it was revoked."""
    key = ApiKeyFactory(name="ci")

    changed = browser.post(f"/admin/workflows/apikey/{key.pk}/change/", {"name": "other"})
    deleted = browser.post(f"/admin/workflows/apikey/{key.pk}/delete/", {"post": "yes"})

    assert (changed.status_code, deleted.status_code) == (403, 403)
    assert ApiKey.objects.get().name == "ci"


def test_keys_revoked_are_refused_from_then_on_and_it_is_on_record(browser: Client) -> None:
    """Who revoked what, and when, can be looked up."""
    text = keys.new_key()
    key = ApiKeyFactory(name="ci", text=text)

    browser.post("/admin/workflows/apikey/", {"action": "revoke", "_selected_action": [str(key.pk)]})

    key.refresh_from_db()
    refused = Client().get("/api/v1/workflows", headers={"X-API-Key": text})
    assert key.revoked_at is not None
    assert refused.json()["error"]["code"] == "revoked_api_key"
    assert [(entry.object_id, entry.get_change_message()) for entry in LogEntry.objects.all()] == [
        (str(key.pk), "Revoked.")
    ]


def test_keys_listed_say_whether_they_can_be_used(browser: Client) -> None:
    """Without counting dates in one's head."""
    ApiKeyFactory(name="a")
    ApiKeyFactory(name="b", expires_at="2020-01-01T00:00:00Z")
    ApiKeyFactory(name="c", revoked_at="2020-01-01T00:00:00Z")

    response = browser.get("/admin/workflows/apikey/?o=1")

    states = re.findall(r'<td class="field-state">(\w+)</td>', response.content.decode())
    assert states == ["usable", "expired", "revoked"]


def test_member_is_added_to_a_workspace_with_a_role(browser: Client) -> None:
    """People are let in here until there is a page of our own for it."""
    workspace, ada = WorkspaceFactory(name="Refunds", slug="refunds"), UserFactory()
    inline = {"member_set-TOTAL_FORMS": "1", "member_set-INITIAL_FORMS": "0"}
    row = {
        "member_set-0-user": str(ada.pk),
        "member_set-0-role": "operator",
        "member_set-0-workspace": str(workspace.pk),
    }

    response = browser.post(
        f"/admin/workflows/workspace/{workspace.pk}/change/", {"name": "Refunds", "slug": "refunds", **inline, **row}
    )

    assert response.status_code == 302
    assert [(member.workspace, member.user, member.role) for member in Member.objects.all()] == [
        (workspace, ada, "operator")
    ]


@pytest.mark.parametrize("model", ["workspace", "user"])
def test_what_has_a_history_is_not_deleted(browser: Client, model: str) -> None:
    """Everything a workspace has would go with it; a person is switched off instead."""
    member = MemberFactory()

    response = browser.post(f"/admin/workflows/{model}/{getattr(member, model).pk}/delete/", {"post": "yes"})

    assert response.status_code == 403
    assert Member.objects.count() == 1


def test_user_page_shows_their_workspaces(browser: Client) -> None:
    """What somebody may do is seen where they are."""
    member = MemberFactory(role="editor")

    response = browser.get(f"/admin/workflows/user/{member.user.pk}/change/")

    assert f'<option value="{member.workspace_id}" selected>'.encode() in response.content
    assert b'<option value="editor" selected>' in response.content
