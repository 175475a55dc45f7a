"""Reading an OpenAPI document: what its references stand for, and what its schemas come down to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

Node: TypeAlias = Mapping[str, Any]

_MOST_REFERENCES: Final = 50  # from one to the next; more is a circle
_MOST_DEPTH: Final = 10  # of schemas made of others
_NOTHING: Final[Node] = {}


class BadDocument(ValueError):
    """The document cannot be read as OpenAPI 3."""


class Document:
    def __init__(self, root: Any) -> None:
        if not isinstance(root, Mapping) or not str(root.get("openapi", "")).startswith("3."):
            raise BadDocument("This is no OpenAPI 3 document: at its top there is no `openapi: 3.…`.")
        self.root: Node = root

    def at(self, holder: Any, *keys: str) -> Node:
        """The object that these *keys* lead to from *holder*, references followed; empty where there is none."""
        for key in keys:
            holder = self.resolved(holder).get(key)
        return self.resolved(holder)

    def resolved(self, node: Any) -> Node:
        """*node*, or what it refers to. Raises BadDocument for a reference that leads out, nowhere or in a circle."""
        for _ in range(_MOST_REFERENCES):
            if not isinstance(node, Mapping):
                return _NOTHING
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            node = self._referred(reference)
        raise BadDocument("A reference of the document leads in a circle.")

    def _referred(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            raise BadDocument(f"{reference!r} leads out of the document. Bundle it into one file first.")
        found: Any = self.root
        for part in reference[2:].split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")  # Source: RFC 6901, 4
            if not isinstance(found, Mapping) or key not in found:
                raise BadDocument(f"{reference!r} leads nowhere.")
            found = found[key]
        return found

    def properties(self, schema: Any) -> dict[str, Node]:
        """The properties of an object, those of all it is made of (`allOf`) included."""
        return {name: prop for part in self._parts(schema) for name, prop in _items(part.get("properties"))}

    def required(self, schema: Any) -> set[str]:
        parts = self._parts(schema)
        return {name for part in parts for name in listed(part.get("required")) if isinstance(name, str)}

    def _parts(self, schema: Any, depth: int = 0) -> Iterator[Node]:
        node = self.resolved(schema)
        if depth < _MOST_DEPTH:
            for each in listed(node.get("allOf")):
                yield from self._parts(each, depth + 1)
        yield node

    def type_of(self, schema: Any) -> str | None:
        """string, integer, number, boolean, array or object; None for what is several of them, or anything."""
        node = self.resolved(schema)
        told = node.get("type")
        if isinstance(told, list):  # 3.1
            kinds = [kind for kind in told if kind != "null"]
            told = kinds[0] if len(kinds) == 1 else None
        if isinstance(told, str):
            return told
        if "oneOf" in node or "anyOf" in node:
            return None
        return "object" if self.properties(schema) else None

    def choices(self, schema: Any) -> tuple[str, ...]:
        """The texts that a schema allows, if that is what it says."""
        allowed = self.resolved(schema).get("enum")
        if not isinstance(allowed, list) or not all(isinstance(each, str | None) for each in allowed):
            return ()
        return tuple(dict.fromkeys(each for each in allowed if each))


def listed(value: Any) -> list[Any]:
    """*value*, if it is a list; what should be one and is not is as if it were not there."""
    return value if isinstance(value, list) else []


def _items(value: Any) -> Iterator[tuple[str, Node]]:
    if isinstance(value, Mapping):
        yield from ((str(name), each) for name, each in value.items())
