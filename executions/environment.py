"""The variables of the workspace that a plan mentions: their values for `{{env.…}}`, their secrets for the mask."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from executions import outage
from executions.plans import Prepared
from workflows.variables import services
from workflows.variables.services import Environment

_NOTHING: Final = Environment(values={}, secrets=frozenset())


def environment_of(prepared: Prepared, workspace_id: UUID) -> Environment:
    """All that any node of the plan mentions: a node may be sent the secret of another. No query where none does.

    Raises UnreadableSecrets.
    """
    if not prepared.env_names:
        return _NOTHING
    return outage.retried(lambda: services.environment(workspace_id, prepared.env_names))
