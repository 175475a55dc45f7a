"""JSON → Definition. Everything that is wrong with the shape is told at once, whatever the payload is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from handlers import JSONObject
from handlers.values import LARGEST_SUMMAND, is_summable
from workflows.core.definition import Definition, Edge, Node, OnError, Settings
from workflows.core.errors import InvalidDefinition, Issue
from workflows.core.expressions import describe
from workflows.core.fields import Fields
from workflows.core.plan import OnErrorStrategy, OnFailure, OnInterrupted
from workflows.core.wellformed import find_flaws

MAX_NODES: Final = 2_000
MAX_EDGES: Final = 10_000
MAX_NAME: Final = 255  # characters
MAX_ATTEMPTS: Final = 10
MAX_FACTOR: Final = 100
MAX_CONCURRENT_NODES: Final = 10_000
MAX_MS: Final = 366 * 24 * 60 * 60 * 1000  # a year: what is meant to take longer is a wait, not a time limit

_DEFINITION_KEYS: Final = frozenset({"name", "description", "nodes", "edges", "entryPoint", "variables", "settings"})
_NODE_KEYS: Final = frozenset({"type", "name", "config", "retry", "timeoutMs", "disabled", "onError", "onInterrupted"})
_EDGE_KEYS: Final = frozenset({"id", "source", "target", "sourceHandle"})
_SETTINGS_KEYS: Final = frozenset({"timeout", "maxConcurrentNodes", "onFailure"})
_ON_ERROR_KEYS: Final = ("strategy", "fallbackValue", "gotoNode")
_RETRY_KEYS: Final = ("attempts", "initialIntervalMs", "factor", "maxIntervalMs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What could be made of a payload, and what could not. Unreadable fields stand at their defaults."""

    definition: Definition | None  # None: nothing that can be judged any further
    issues: tuple[Issue, ...]  # all of them errors
    broken: frozenset[str]  # nodes so malformed that more said about them would only repeat it


def parse_definition(payload: Any) -> Definition:
    """The definition in *payload*, of the stored format or the editor's. Raises InvalidDefinition with every flaw."""
    reading = read_definition(payload)
    if reading.issues or reading.definition is None:
        raise InvalidDefinition(reading.issues)
    return reading.definition


def read_definition(payload: Any) -> Reading:
    """As `parse_definition`, but flaws come beside what could be read, so that both are judged in one round."""
    reader = _Reader()
    definition = reader.definition(payload)
    return Reading(definition=definition, issues=tuple(reader.issues), broken=frozenset(reader.broken))


class _Reader:
    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self.broken: set[str] = set()

    def definition(self, payload: Any) -> Definition | None:
        for place, flaw in find_flaws(payload):
            self._refuse(f"{place or 'the definition'} {flaw}", place)
        if self.issues:
            return None
        if not isinstance(payload, dict):
            self._refuse(f"a definition is an object, not {describe(payload)}")
            return None
        if not self._has_parts(payload):
            return None
        if isinstance(payload.get("nodes"), list):
            payload = self._from_editor(payload)
        fields = Fields(drawn=payload, issues=self.issues, code="INVALID_INPUT")
        edges = enumerate(payload.get("edges") or [])
        return Definition(
            name=fields.text("name", most=MAX_NAME) or "",
            description=fields.text("description") or "",
            nodes={node_id: self._node(node_id, drawn) for node_id, drawn in fields.mapping("nodes").items()},
            edges=tuple(edge for index, drawn in edges if (edge := self._edge(index, drawn)) is not None),
            entry_point=fields.text("entryPoint", code="MISSING_ENTRY_POINT") or None,
            variables=_variables(fields),
            settings=self._settings(fields),
            extra=fields.rest(_DEFINITION_KEYS),
        )

    def _has_parts(self, payload: Mapping[str, Any]) -> bool:
        """Whether nodes and edges are there to be looked at one by one."""
        nodes, edges = payload.get("nodes") or {}, payload.get("edges") or []
        if not isinstance(nodes, dict | list):
            self._refuse(f"nodes must be a map of nodes by id, or an editor's list, not {describe(nodes)}", "nodes")
        elif len(nodes) > MAX_NODES:
            self._limit(f"the workflow has {len(nodes)} nodes; {MAX_NODES} is the most", "nodes")
        if not isinstance(edges, list):
            self._refuse(f"edges must be a list, not {describe(edges)}", "edges")
        elif len(edges) > MAX_EDGES:
            self._limit(f"the workflow has {len(edges)} edges; {MAX_EDGES} is the most", "edges")
        return not self.issues

    def _from_editor(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The editor's format as the stored one. Comments are drawn for people only."""
        nodes: dict[str, JSONObject] = {}
        comments: set[str] = set()
        for index, drawn in enumerate(payload["nodes"]):
            node_id = drawn.get("id") if isinstance(drawn, dict) else None
            if not isinstance(node_id, str):
                self._refuse(f"nodes.{index} must be an object with an id that is text", f"nodes.{index}")
            elif node_id in nodes or node_id in comments:
                self._refuse(f"two nodes have the id {node_id!r}", f"nodes.{index}.id")
            elif drawn.get("type") == "comment":
                comments.add(node_id)
            else:
                nodes[node_id] = _editor_node(drawn)
        edges = [edge for edge in payload.get("edges") or [] if not _touches(edge, comments)]
        first = next(
            (node_id for node_id, node in nodes.items() if node.get("type") == "input"), next(iter(nodes), None)
        )
        return {**payload, "nodes": nodes, "edges": edges, "entryPoint": payload.get("entryPoint") or first}

    def _node(self, node_id: str, drawn: Any) -> Node:
        if not isinstance(drawn, dict):
            self.broken.add(node_id)
            message = f"{node_id}: a node is an object, not {describe(drawn)}"
            self.issues.append(Issue(code="INVALID_INPUT", message=message, node_id=node_id, field=f"nodes.{node_id}"))
            return Node(id=node_id, type="", name=node_id)
        fields = Fields(drawn=drawn, issues=self.issues, node_id=node_id)
        kind = fields.text("type", code="UNKNOWN_NODE_TYPE")
        if not kind:
            self.broken.add(node_id)
            if not drawn.get("type"):
                fields.flaw("type", "is missing", code="UNKNOWN_NODE_TYPE")
        return Node(
            id=node_id,
            type=kind or "",
            name=fields.text("name", code="INVALID_INPUT") or node_id,
            config=fields.mapping("config"),
            retry=_retry(fields),
            timeout_ms=fields.whole("timeoutMs", least=1, most=MAX_MS),
            disabled=fields.flag("disabled"),
            on_error=_on_error(fields),
            on_interrupted=fields.choice("onInterrupted", OnInterrupted) or OnInterrupted.RERUN,
            extra=fields.rest(_NODE_KEYS),
        )

    def _edge(self, index: int, drawn: Any) -> Edge | None:
        if not isinstance(drawn, dict):
            self._refuse(f"edges.{index} must be an object, not {describe(drawn)}", f"edges.{index}")
            return None
        fields = Fields(drawn=drawn, issues=self.issues, code="INVALID_INPUT", edge_id=f"edges.{index}")
        edge_id = fields.text("id")
        fields = replace(fields, edge_id=edge_id or fields.edge_id)
        ends: list[str] = []
        for name, code in (("source", "INVALID_EDGE_SOURCE"), ("target", "INVALID_EDGE_TARGET")):
            end = fields.text(name, code=code)
            if end is not None:
                ends.append(end)
            elif drawn.get(name) is None:
                fields.flaw(name, "is missing", code=code)
        handle = fields.text("sourceHandle", code="UNKNOWN_HANDLE")
        if len(ends) < 2:  # noqa: PLR2004 -- an edge has two ends
            return None
        source, target = ends
        edge_id = edge_id or f"{source}->{target}"
        return Edge(id=edge_id, source=source, target=target, handle=handle, extra=fields.rest(_EDGE_KEYS))

    def _settings(self, fields: Fields) -> Settings:
        settings = fields.group("settings")
        if settings is None:
            return Settings()
        settings = replace(settings, code="INVALID_CONFIG")
        plain = Settings()
        return Settings(
            timeout_ms=settings.whole("timeout", least=1, most=MAX_MS),
            max_concurrent_nodes=settings.whole("maxConcurrentNodes", least=1, most=MAX_CONCURRENT_NODES)
            or plain.max_concurrent_nodes,
            on_failure=settings.choice("onFailure", OnFailure) or plain.on_failure,
            extra=settings.rest(_SETTINGS_KEYS),
        )

    def _refuse(self, message: str, field: str | None = None) -> None:
        self.issues.append(Issue(code="INVALID_INPUT", message=message, field=field or None))

    def _limit(self, message: str, field: str) -> None:
        mend = "move a part of it into a workflow of its own and call that"
        self.issues.append(Issue(code="LIMIT_EXCEEDED", message=message, field=field, suggestion=mend))


def _editor_node(drawn: Mapping[str, Any]) -> JSONObject:
    data = drawn.get("data")
    names = [data.get(key) for key in ("label", "inputName", "outputName")] if isinstance(data, dict) else []
    name = next((name for name in (*names, drawn.get("type")) if isinstance(name, str) and name), None)
    rest = {key: value for key, value in drawn.items() if key not in ("id", "data")}
    return {**rest, "name": name, "config": data}


def _touches(edge: Any, nodes: set[str]) -> bool:
    ends = (edge.get("source"), edge.get("target")) if isinstance(edge, dict) else ()
    return any(isinstance(end, str) and end in nodes for end in ends)


def _variables(fields: Fields) -> JSONObject:
    variables = fields.mapping("variables")
    for name, value in variables.items():
        if not is_summable(value):
            fields.flaw(
                f"variables.{name}", f"must be a number within ±{LARGEST_SUMMAND:g}, for sums of it to be numbers"
            )
    return variables


def _retry(node: Fields) -> JSONObject | None:
    fields = node.group("retry", keys=_RETRY_KEYS)
    if fields is None:
        return None
    read: JSONObject = {
        "attempts": fields.whole("attempts", least=1, most=MAX_ATTEMPTS),
        "initialIntervalMs": fields.whole("initialIntervalMs", least=0, most=MAX_MS),
        "factor": fields.number("factor", least=1, most=MAX_FACTOR),
        "maxIntervalMs": fields.whole("maxIntervalMs", least=0, most=MAX_MS),
    }
    return {name: value for name, value in read.items() if value is not None}


def _on_error(node: Fields) -> OnError:
    fields = node.group("onError", keys=_ON_ERROR_KEYS)
    if fields is None:
        return OnError()
    return OnError(
        strategy=fields.choice("strategy", OnErrorStrategy) or OnErrorStrategy.FAIL,
        fallback_value=fields.drawn.get("fallbackValue"),
        goto=fields.text("gotoNode", code="INVALID_GOTO"),
    )
