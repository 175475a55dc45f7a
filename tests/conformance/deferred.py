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
    areas = [rule.partition("/")[0] for rule in case["rules"] if rule not in BUILT]
    found = [area for area in areas if area in AREAS] or sorted(TYPES & set(_types(case)))
    return f"{REASON}: {found[0]}" if found else None


def _types(case: dict[str, Any]) -> Iterator[str]:
    for definition in (case["definition"], *(case.get("workflows") or {}).values()):
        nodes = definition["nodes"]
        yield from (node["type"] for node in (nodes.values() if isinstance(nodes, dict) else nodes))
