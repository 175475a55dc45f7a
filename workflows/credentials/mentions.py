"""The credentials that a definition names, and which of them its workspace does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from handlers import JSONObject
from workflows.core import Issue, Severity
from workflows.core.parsing import read_definition
from workflows.credentials.models import Credential

KEY: Final = "connectionId"


def find_missing(workspace_id: UUID, definition: JSONObject) -> list[Issue]:
    """INVALID_CONNECTION_ID for each node that names a credential which is not there. One query, none without names.

    A warning: the credential may be made later, and a workflow is brought along before its credentials are. A name that
    a `{{…}}` makes is known only when the node runs; it fails with `credential_missing` then.
    """
    drawn = read_definition(definition).definition
    nodes = [] if drawn is None else [node for node in drawn.nodes.values() if not node.disabled]
    named = [(node.id, field, name) for node in nodes for field, name in _named(node.config)]
    known = _known(workspace_id, {name for _, _, name in named})
    return [
        Issue(
            code="INVALID_CONNECTION_ID",
            message=f"{node_id}: {field}: this workspace has no credential {name!r}",
            severity=Severity.WARNING,
            node_id=node_id,
            field=field,
            suggestion="Make it under /credentials, or name one that there is.",
        )
        for node_id, field, name in named
        if name not in known
    ]


def _named(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Each field called KEY that is a plain text, at whatever depth, with its path."""
    match value:
        case dict():
            for key, item in value.items():
                path = f"{place}.{key}" if place else str(key)
                if key != KEY:
                    yield from _named(item, path)
                elif isinstance(item, str) and item.strip() and "{{" not in item:
                    yield path, item.strip()
        case list():
            for index, item in enumerate(value):
                yield from _named(item, f"{place}.{index}")


def _known(workspace_id: UUID, names: set[str]) -> set[str]:
    if not names:
        return set()
    ids = {name: _uuid(name) for name in names}
    here = Credential.objects.of(workspace_id).filter(Q(name__in=names) | Q(pk__in=filter(None, ids.values())))
    rows = here.values_list("pk", "name")
    pks, called = {pk for pk, _ in rows}, {name for _, name in rows}
    return {name for name in names if name in called or ids[name] in pks}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
