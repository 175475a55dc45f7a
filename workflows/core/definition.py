"""A workflow as its author drew it, as frozen values. `parsing` makes them of JSON, `to_json` the stored format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers import JSONObject, JSONValue
from workflows.core.plan import OnErrorStrategy, OnFailure, OnInterrupted


@dataclass(frozen=True, slots=True, kw_only=True)
class OnError:
    """What becomes of a failure that no error edge takes."""

    strategy: OnErrorStrategy = OnErrorStrategy.FAIL
    fallback_value: JSONValue = None
    goto: str | None = None  # node id

    def to_json(self) -> JSONObject:
        drawn: JSONObject = {"strategy": self.strategy.value}
        if self.fallback_value is not None:
            drawn["fallbackValue"] = self.fallback_value
        if self.goto is not None:
            drawn["gotoNode"] = self.goto
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    id: str
    type: str  # as drawn: may be an alias
    name: str
    config: JSONObject = field(default_factory=dict)
    retry: JSONObject | None = None  # attempts, initialIntervalMs, factor, maxIntervalMs: those that were given
    timeout_ms: int | None = None  # per attempt; None: the default
    disabled: bool = False
    on_error: OnError = field(default_factory=OnError)
    on_interrupted: OnInterrupted = OnInterrupted.RERUN
    extra: JSONObject = field(default_factory=dict)  # position and whatever else an editor keeps

    def to_json(self) -> JSONObject:
        drawn: JSONObject = {**self.extra, "type": self.type, "name": self.name, "config": self.config}
        if self.retry is not None:
            drawn["retry"] = self.retry
        if self.timeout_ms is not None:
            drawn["timeoutMs"] = self.timeout_ms
        if self.disabled:
            drawn["disabled"] = True
        if self.on_error != OnError():
            drawn["onError"] = self.on_error.to_json()
        if self.on_interrupted is not OnInterrupted.RERUN:
            drawn["onInterrupted"] = self.on_interrupted.value
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    id: str
    source: str
    target: str
    handle: str | None = None  # None: the success edge
    extra: JSONObject = field(default_factory=dict)

    def to_json(self) -> JSONObject:
        drawn: JSONObject = {**self.extra, "id": self.id, "source": self.source, "target": self.target}
        if self.handle is not None:
            drawn["sourceHandle"] = self.handle
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    timeout_ms: int | None = None  # of the whole run; None: no deadline
    max_concurrent_nodes: int = 100
    on_failure: OnFailure = OnFailure.STOP
    extra: JSONObject = field(default_factory=dict)

    def to_json(self) -> JSONObject:
        drawn = dict(self.extra)
        plain = Settings()
        if self.timeout_ms is not None:
            drawn["timeout"] = self.timeout_ms
        if self.max_concurrent_nodes != plain.max_concurrent_nodes:
            drawn["maxConcurrentNodes"] = self.max_concurrent_nodes
        if self.on_failure is not plain.on_failure:
            drawn["onFailure"] = self.on_failure.value
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A workflow as it was drawn: shapes are right, nothing else is known yet."""

    name: str = ""
    description: str = ""
    nodes: Mapping[str, Node] = field(default_factory=dict)  # by id
    edges: tuple[Edge, ...] = ()
    entry_point: str | None = None
    variables: JSONObject = field(default_factory=dict)  # initial values
    settings: Settings = field(default_factory=Settings)
    extra: JSONObject = field(default_factory=dict)

    def to_json(self) -> JSONObject:
        """The stored format; what was left out is left out again."""
        drawn: JSONObject = dict(self.extra)
        if self.name:
            drawn["name"] = self.name
        if self.description:
            drawn["description"] = self.description
        drawn["nodes"] = {node.id: node.to_json() for node in self.nodes.values()}
        drawn["edges"] = [edge.to_json() for edge in self.edges]
        if self.entry_point is not None:
            drawn["entryPoint"] = self.entry_point
        if self.variables:
            drawn["variables"] = self.variables
        if settings := self.settings.to_json():
            drawn["settings"] = settings
        return drawn
