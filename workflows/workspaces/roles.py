"""Scopes, and the roles that are sets of them: one table for people and keys alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    OWNER = "owner"
    EDITOR = "editor"
    OPERATOR = "operator"
    VIEWER = "viewer"


_READ: Final = frozenset({"workflows:read", "executions:read", "files:read"})
_OPERATE: Final = frozenset({"workflows:execute", "executions:cancel", "executions:resume", "files:write"})
# One goes with the other: a workflow can send whatever its workspace's secrets are to wherever its author likes.
_WRITE: Final = frozenset({"workflows:write", "credentials:write"})
_ADMIN: Final = frozenset({"admin"})

ALL_SCOPES: Final = _READ | _OPERATE | _WRITE | _ADMIN

ROLE_SCOPES: Final[Mapping[Role, frozenset[str]]] = {
    Role.OWNER: ALL_SCOPES,
    Role.EDITOR: _READ | _OPERATE | _WRITE,
    Role.OPERATOR: _READ | _OPERATE,
    Role.VIEWER: _READ,
}
