"""What a workflow wants to be started with, read off its input nodes: a form can be drawn from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from handlers import JSONObject
from handlers.registry import catalogue
from workflows.core import Definition, InvalidDefinition, parse_definition

# What a form asks for, by the type of the node that takes it.
_TYPES: Final[Mapping[str, str]] = {"input": "text", "files": "file"}


def described_inputs(definition: Any) -> JSONObject | None:
    """Input node id → `{name, type, label, required, description}`; None without input nodes, or while unreadable.

    *name* is the key to send, None where the node takes all inputs. An input counts as required unless it says
    otherwise, and is labelled by its id when it has no label. Source: the existing product's public API.
    """
    try:
        drawn = parse_definition(definition)
    except InvalidDefinition:
        return None
    return _described(drawn) or None


def _described(definition: Definition) -> JSONObject:
    kinds = {node.id: catalogue[node.type].name for node in definition.nodes.values() if node.type in catalogue}
    return {
        node.id: {
            "name": node.config.get("inputName"),
            "type": node.config.get("inputType") or _TYPES[kinds[node.id]],
            "label": node.config.get("label") or node.id,
            "required": node.config.get("required", True),
            "description": node.config.get("description"),
        }
        for node in definition.nodes.values()
        if kinds.get(node.id) in _TYPES
    }
