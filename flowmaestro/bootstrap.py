"""What a fresh installation needs before anybody can use it: a workspace, an administrator and an API key.

Every step looks first, so that it may be taken at each start. The database holds hashes; what they are hashes of lies
in the home, readable by its owner only.
"""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import Final

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from flowmaestro.embedded.secret_files import read_secret, write_secret
from workflows.models import ApiKey, User, Workspace
from workflows.workspaces.keys import digest
from workflows.workspaces.roles import ALL_SCOPES
from workflows.workspaces.services import create_api_key, create_workspace

ADMIN: Final = "admin"
WORKSPACE: Final = "Default"
_MIGRATION_LOCK: Final = 0x666D  # "fm"; any number that all of us agree on


def migrate() -> None:
    """Bring the database up to date; several machines that start at once do it one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


@transaction.atomic
def bootstrap(home: Path) -> None:
    """Leave `admin-password` and `api-key` in *home*; the former not once somebody has set another password."""
    admin = _ensure_admin(password_path(home))
    _ensure_api_key(api_key_path(home), _ensure_workspace(admin), admin)


def password_path(home: Path) -> Path:
    return home / "admin-password"


def api_key_path(home: Path) -> Path:
    return home / "api-key"


def _ensure_admin(path: Path) -> User:
    known = read_secret(path)
    admin = User.objects.filter(username=ADMIN).first()
    if admin is None:
        password = known or secrets.token_urlsafe(12)
        write_secret(path, password)
        return User.objects.create_superuser(ADMIN, password=password)
    if known and not admin.check_password(known):
        path.unlink()
    return admin


def _ensure_workspace(admin: User) -> Workspace:
    first = Workspace.objects.visible_to(admin).order_by("created_at").first()
    return first or create_workspace(WORKSPACE, owner=admin)


def _ensure_api_key(path: Path, workspace: Workspace, admin: User) -> None:
    ours = ApiKey.objects.usable(timezone.now()).filter(workspace=workspace, digest=digest(read_secret(path)))
    if not ours.update(scopes=sorted(ALL_SCOPES)):  # of which a release may bring new ones
        name = f"flowmaestro up on {socket.gethostname()}"[:100]
        _, key = create_api_key(workspace, name=name, scopes=ALL_SCOPES, created_by=admin)
        write_secret(path, key)
