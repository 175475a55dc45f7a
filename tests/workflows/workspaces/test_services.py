from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import ApiKeyFactory, UserFactory, WorkspaceFactory
from workflows.models import ApiKey, Member, Workspace
from workflows.workspaces import keys
from workflows.workspaces.roles import Role
from workflows.workspaces.services import (
    UnknownScope,
    create_api_key,
    create_workspace,
    note_use,
    revoke_api_key,
)

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def test_workspace_created_belongs_to_its_owner() -> None:
    """A workspace nobody may enter would be lost."""
    ada = UserFactory()

    workspace = create_workspace("Refunds & Returns", owner=ada)

    assert [(member.user, member.role) for member in Member.objects.filter(workspace=workspace)] == [(ada, Role.OWNER)]
    assert (workspace.name, workspace.slug) == ("Refunds & Returns", "refunds-returns")


@pytest.mark.parametrize(
    ("name", "slugs"),
    [
        ("Refunds", ["refunds", "refunds-2", "refunds-3"]),
        ("返金", ["workspace", "workspace-2", "workspace-3"]),  # nothing of it is ASCII
        ("x" * 255, ["x" * 56, "x" * 56 + "-2", "x" * 56 + "-3"]),  # longer than the column
    ],
)
def test_workspace_of_a_name_that_is_taken_gets_a_number(name: str, slugs: list[str]) -> None:
    """Names may repeat, slugs may not."""
    ada = UserFactory()

    made = [create_workspace(name, owner=ada).slug for _ in range(3)]

    assert made == slugs


def test_api_key_created_is_stored_as_its_hash_only() -> None:
    """Who reads the database cannot call the API."""
    workspace = WorkspaceFactory()

    key, text = create_api_key(workspace, name="ci", scopes={"workflows:read", "executions:read"})

    stored = ApiKey.objects.values().get(pk=key.pk)
    assert stored["digest"] == keys.digest(text)
    assert stored["prefix"] == text[:12]
    assert stored["scopes"] == ["executions:read", "workflows:read"]
    assert text not in repr(stored)


def test_api_key_with_an_unknown_scope_is_refused_and_names_it() -> None:
    """A misspelt scope would be a key that silently cannot do its work."""
    workspace = WorkspaceFactory()

    with pytest.raises(UnknownScope) as refused:
        create_api_key(workspace, name="ci", scopes={"workflows:read", "workflows:raed"})

    assert refused.value.unknown == ("workflows:raed",)
    assert not ApiKey.objects.exists()


def test_api_key_revoked_twice_keeps_the_first_time() -> None:
    """When a key was revoked is evidence; a second click does not move it."""
    key = ApiKeyFactory()

    revoke_api_key(key, now=NOON)
    revoke_api_key(key, now=NOON + timedelta(hours=1))

    assert ApiKey.objects.get(pk=key.pk).revoked_at == NOON


@pytest.mark.parametrize(
    ("last", "now", "noted"),
    [
        (None, NOON, NOON),  # never used before
        (NOON, NOON + timedelta(seconds=59), NOON),  # within the minute
        (NOON, NOON + timedelta(seconds=60), NOON + timedelta(seconds=60)),
    ],
)
def test_key_used_is_noted_once_a_minute(last: datetime | None, now: datetime, noted: datetime) -> None:
    """A busy key costs a write a minute, not one per request."""
    key = ApiKeyFactory(last_used_at=last)

    note_use(key, now=now)

    assert ApiKey.objects.get(pk=key.pk).last_used_at == noted


def test_key_used_with_a_stale_copy_does_not_go_back() -> None:
    """Two processes note a use; the older reading must not overwrite the newer one."""
    stale = ApiKeyFactory(last_used_at=NOON)
    ApiKey.objects.filter(pk=stale.pk).update(last_used_at=NOON + timedelta(minutes=5))

    note_use(stale, now=NOON + timedelta(minutes=2))

    assert ApiKey.objects.get(pk=stale.pk).last_used_at == NOON + timedelta(minutes=5)


def test_workspaces_visible_to_a_person_are_those_they_are_in() -> None:
    """Membership is what makes a workspace visible."""
    ada, bob = UserFactory(), UserFactory()
    mine = create_workspace("Mine", owner=ada)
    create_workspace("Yours", owner=bob)

    visible = list(Workspace.objects.visible_to(ada))

    assert visible == [mine]
