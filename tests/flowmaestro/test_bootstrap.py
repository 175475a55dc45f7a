from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from flowmaestro.bootstrap import ADMIN, api_key_path, bootstrap, password_path
from flowmaestro.embedded.secret_files import read_secret
from workflows.models import ApiKey, Member, User, Workspace
from workflows.workspaces.keys import digest
from workflows.workspaces.roles import ALL_SCOPES, Role
from workflows.workspaces.services import revoke_api_key

pytestmark = pytest.mark.django_db


def test_bootstrap_of_an_empty_database_lets_somebody_in(tmp_path: Path) -> None:
    """A superuser who owns a workspace, and a key that may do everything in it; both readable by us alone."""
    bootstrap(tmp_path)

    admin = User.objects.get()
    member = Member.objects.get()
    key = ApiKey.objects.get()
    assert (admin.username, admin.is_superuser, admin.is_staff) == (ADMIN, True, True)
    assert admin.check_password(read_secret(password_path(tmp_path)))
    assert (member.user, member.workspace.name, member.role) == (admin, "Default", Role.OWNER)
    assert (key.workspace, key.created_by, set(key.scopes)) == (member.workspace, admin, ALL_SCOPES)
    assert key.digest == digest(read_secret(api_key_path(tmp_path)))
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "admin-password": 0o600,
        "api-key": 0o600,
    }


def test_bootstrap_again_changes_nothing(tmp_path: Path) -> None:
    """It is done at every start."""
    bootstrap(tmp_path)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}

    bootstrap(tmp_path)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before
    assert (User.objects.count(), Workspace.objects.count(), ApiKey.objects.count()) == (1, 1, 1)


def test_bootstrap_after_the_password_was_changed_forgets_the_old_one(tmp_path: Path) -> None:
    """What it would print at the next start is no longer true; it is never set back."""
    bootstrap(tmp_path)
    admin = User.objects.get()
    admin.set_password("another one")
    admin.save(update_fields=["password"])

    bootstrap(tmp_path)

    assert not password_path(tmp_path).exists()
    assert User.objects.get().check_password("another one")


def test_bootstrap_after_the_key_was_revoked_makes_another(tmp_path: Path) -> None:
    """Revoking the key of a machine does not lock its owner out of the command line."""
    bootstrap(tmp_path)
    old = ApiKey.objects.get()
    revoke_api_key(old, now=timezone.now())

    bootstrap(tmp_path)

    new = ApiKey.objects.usable(timezone.now()).get()
    assert new.pk != old.pk
    assert new.digest == digest(read_secret(api_key_path(tmp_path)))


def test_bootstrap_after_a_release_brought_a_scope_adds_it_to_the_key(tmp_path: Path) -> None:
    """Whoever wrote it down somewhere need not look for another."""
    bootstrap(tmp_path)
    ApiKey.objects.update(scopes=["workflows:read"])
    text = read_secret(api_key_path(tmp_path))

    bootstrap(tmp_path)

    assert set(ApiKey.objects.get().scopes) == ALL_SCOPES
    assert read_secret(api_key_path(tmp_path)) == text


def test_bootstrap_of_a_second_home_on_one_database_keeps_the_first_ones_key(tmp_path: Path) -> None:
    """Two machines with one DATABASE_URL: each has its own key, the administrator is the same."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()

    bootstrap(first)
    bootstrap(second)

    digests = {digest(read_secret(api_key_path(home))) for home in (first, second)}
    assert set(ApiKey.objects.values_list("digest", flat=True)) == digests
    assert not password_path(second).exists()
    assert Workspace.objects.count() == 1
