"""Which cases wait for features that are not there yet. The one table of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

REASON: Final = "next issue"
AREAS: Final = frozenset({"pause", "cancel", "hold", "rerun", "durability"})
BUILT: Final = frozenset({"rerun/stop-after"})  # rules of those areas that are there
TYPES: Final = frozenset({"humanReview", "wait"})


def deferred(case: dict[str, Any]) -> str | None:
    """Why *case* is left out; None when it is run."""
    found = sorted({rule for rule in case["rules"] if rule.partition("/")[0] in AREAS and rule not in BUILT})
    found = found or sorted(TYPES & set(_types(case)))
    return f"{REASON}: {', '.join(found)}" if found else None


def _types(case: dict[str, Any]) -> Iterator[str]:
    for definition in (case["definition"], *(case.get("workflows") or {}).values()):
        nodes = definition["nodes"]
        yield from (node["type"] for node in (nodes.values() if isinstance(nodes, dict) else nodes))
