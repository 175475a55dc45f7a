"""Node type → handler. Built-in types are the modules of `handlers.nodes`; others come by setting or entry point.

A type registers itself by its decorator, so that adding one is one file:

    @node_type("shout", category="text", effect=Effect.PURE)
    class Shout(NodeHandler[ShoutConfig]): ...
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from inspect import getdoc

from handlers.base import ContainerKind, Effect, JSONObject, Lane, NodeHandler
from handlers.checks import find_faults
from handlers.retries import BY_EFFECT, RetryDefaults

ENTRY_POINT_GROUP = "flowmaestro.handlers"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeType:
    """One row of the catalogue."""

    name: str
    handler: NodeHandler  # type: ignore[type-arg]  # the catalogue is heterogeneous
    category: str
    title: str
    effect: Effect
    lane: Lane
    aliases: tuple[str, ...] = ()
    source: bool = False  # an input kind: a root of this type takes part in every run
    terminal: bool = False  # what it produces, by name, is the run's output
    cheap: bool = False  # an effect of a few milliseconds: several share a message
    responds: bool = False  # the output of the first that runs answers who waits for the run's response
    delegates: bool = False  # it is pure, and what it does is to start a run of its own (StartChild)
    pauses: bool = False  # it is pure, and it may wait for something outside (Pause)
    takes_inputs: bool = False  # NodeInput.inputs is filled; other types read inputs by reference
    container: ContainerKind | None = None  # it has a body, which the engine runs; the handler itself is never run
    retries: bool = True  # a failed attempt may be followed by another
    retry: RetryDefaults | None = None  # how often, unless the node says; None: as its effect is
    is_note: bool = False  # drawn for people: without edges it is no part of the workflow

    @property
    def retry_defaults(self) -> RetryDefaults | None:
        """What a node is tried by that says nothing; None when there is never another attempt."""
        if not self.retries or self.container is not None:
            return None
        return self.retry or BY_EFFECT[self.effect]

    @property
    def doc(self) -> str:
        return getdoc(self.handler) or ""

    def handles(self, config: Mapping[str, object]) -> tuple[str, ...]:
        """The handles of a node with this configuration, without the other spellings of each."""
        body = () if self.container is None else ("body",)
        return ("output", "error", *body, *self.handler.ports(config))

    def config_schema(self) -> JSONObject:
        """JSON Schema of the configuration; a form can be drawn from it."""
        return self.handler.Config.model_json_schema()

    def output_schema(self) -> JSONObject | None:
        """JSON Schema of the output, of types that declare it; the others' is told in their manual."""
        declared = self.handler.Output
        return None if declared is None else declared.model_json_schema()

    def to_json(self) -> JSONObject:
        """The catalogue entry that `/node-types` shows."""
        return {
            "type": self.name,
            "aliases": list(self.aliases),
            "title": self.title,
            "category": self.category,
            "description": self.doc,
            "effect": self.effect.value,
            "lane": self.lane.value,
            "handles": [*self.handles({})],
            "container": None if self.container is None else self.container.value,
            "terminal": self.terminal,
            "pauses": self.pauses,
            "retry": None if self.retry_defaults is None else self.retry_defaults.to_json(),
            "config_schema": self.config_schema(),
            "output_schema": self.output_schema(),
        }


class DuplicateNodeType(ValueError):
    """Two handlers claim one node type."""


@dataclass(slots=True)
class Catalogue(Mapping[str, NodeType]):
    """Node types by name and alias; iterating gives each type once, by name."""

    _types: dict[str, NodeType] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)  # name or alias → name

    def add(self, node_type: NodeType) -> None:
        """Register *node_type*; the same class again is the same row (a module imported twice)."""
        names = (node_type.name, *node_type.aliases)
        for name in names:
            taken = self.get(name)
            if taken is not None and _origin(taken) != _origin(node_type):
                raise DuplicateNodeType(
                    f"node type {name!r} is claimed by {type(taken.handler).__qualname__}"
                    f" and {type(node_type.handler).__qualname__}, of {_origin(taken)[1]} and {_origin(node_type)[1]}"
                )
        self._names |= dict.fromkeys(names, node_type.name)
        self._types[node_type.name] = node_type

    def __getitem__(self, name: str) -> NodeType:
        return self._types[self._names[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._types))

    def __len__(self) -> int:
        return len(self._types)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def _origin(node_type: NodeType) -> tuple[str, str]:
    """The class of a handler and its file: the same under whatever name the module has been imported."""
    made = type(node_type.handler)
    return made.__qualname__, getattr(sys.modules.get(made.__module__), "__file__", None) or made.__module__


catalogue = Catalogue()


def node_type(
    name: str,
    *,
    category: str,
    effect: Effect = Effect.EFFECT,
    lane: Lane | None = None,
    title: str | None = None,
    aliases: Iterable[str] = (),
    source: bool = False,
    terminal: bool = False,
    cheap: bool = False,
    responds: bool = False,
    delegates: bool = False,
    pauses: bool = False,
    takes_inputs: bool = False,
    container: ContainerKind | None = None,
    retries: bool = True,
    retry: RetryDefaults | None = None,
    is_note: bool = False,
) -> Callable[[type[NodeHandler]], type[NodeHandler]]:  # type: ignore[type-arg]
    """Class decorator that enters a handler into the catalogue."""

    def register(handler: type[NodeHandler]) -> type[NodeHandler]:  # type: ignore[type-arg]
        catalogue.add(
            NodeType(
                name=name,
                handler=handler(),
                category=category,
                title=title or name,
                effect=effect,
                lane=lane or (Lane.DRIVE if effect is Effect.PURE else Lane.IO),
                aliases=tuple(aliases),
                source=source,
                terminal=terminal,
                cheap=cheap,
                responds=responds,
                delegates=delegates,
                pauses=pauses,
                takes_inputs=takes_inputs,
                container=container,
                retries=retries,
                retry=retry,
                is_note=is_note,
            )
        )
        return handler

    return register


def load(modules: Iterable[str] = ()) -> Catalogue:
    """The catalogue with the built-in types, the plug-ins installed beside us and *modules* (dotted paths) in it.

    A plug-in that cannot be imported stops the process: a worker without it would fail the nodes that need it.
    """
    import handlers.nodes as built_in  # noqa: PLC0415 -- the modules there import this one

    for module in pkgutil.iter_modules(built_in.__path__, f"{built_in.__name__}."):
        importlib.import_module(module.name)
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        entry_point.load()
    for path in modules:
        importlib.import_module(path)
    return catalogue


def check_config(node: NodeType, config: Mapping[str, object]) -> list[tuple[str, str]]:
    """What is wrong with a configuration as drawn: pairs of field and sentence.

    A template that holds a `{{…}}` is not judged: its value is known only when the node runs.
    """
    model = node.handler.Config
    return [*node.handler.check(config), *find_faults(model, config, literal=model.field_kinds())]
