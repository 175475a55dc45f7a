"""What the first name of a reference can mean in a workflow, and what it means for one node.

The order is that of the design: the containers around the node, innermost first, workflow variables, then nodes and
output variables that are visible (upstream by the edges of its scope, or of a scope around it), then the run's inputs.
It is settled when the plan is made, so that no run can change it by being fast or slow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from handlers import JSONValue
from handlers.registry import NodeType
from workflows.core.ancestry import Ancestry
from workflows.core.contexts import Context
from workflows.core.definition import Definition
from workflows.core.plan import Binding, Source

# Always mean the same; a node of such an id can be drawn and run, but not referred to.
PREFIXES: Final[Mapping[str, Source]] = {
    "var": Source.VAR,
    "env": Source.ENV,
    "inputs": Source.INPUTS,
    "$now": Source.NOW,
}
# What a trigger handed in, unless a node is called so: then it is that node, whose output is the same.
TRIGGER: Final = "trigger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """The names a workflow defines."""

    variables: frozenset[str]  # declared, or set by some node
    aliases: Mapping[str, str | None]  # node id → its output variable
    outputs: Mapping[str, tuple[str, ...]]  # output variable → the nodes that have it
    inputs: Mapping[str, tuple[str, ...]]  # name of an input → the input nodes that hand it on
    contexts: Mapping[str, Context]  # container → what it calls the parts of its iterations
    owners: Mapping[str, str]  # name that means something in a body only → a container that gives it
    known: frozenset[str]  # every name that means something outside containers too

    def in_context(self, name: str, around: Iterable[str]) -> Binding | None:
        """What *name* means of the containers *around*, innermost first; None when it is not theirs."""
        bindings = (self.contexts[container].bind(name) for container in around)
        return next((binding for binding in bindings if binding is not None), None)

    def bind(self, name: str, *, node: str, around: Iterable[str], ancestry: Ancestry) -> Binding:
        """What *name* means in the configuration of *node*, which the containers *around* are around."""
        if name in PREFIXES:
            return Binding(source=PREFIXES[name])
        if (binding := self.in_context(name, around)) is not None:
            return binding
        if name == TRIGGER and TRIGGER not in self.aliases:
            return Binding(source=Source.INPUTS)
        if name in self.variables:
            return Binding(source=Source.VARIABLE)
        if name in self.aliases and ancestry.is_visible(name, to=node):
            return Binding(source=Source.NODE, nodes=(name,), alias=self.aliases[name])
        if seen := _visible(self.outputs.get(name, ()), node, ancestry):
            return Binding(source=Source.NODE, nodes=seen)
        if name in self.aliases or name in self.outputs:
            return Binding(source=Source.ABSENT)
        return Binding(source=Source.INPUT, nodes=_visible(self.inputs.get(name, ()), node, ancestry))


def collect_names(definition: Definition, types: Mapping[str, NodeType]) -> Names:
    """The names that *definition* defines. Nodes that *types* (by node id) lacks are known by their id alone."""
    variables = set(definition.variables)
    outputs: defaultdict[str, list[str]] = defaultdict(list)
    inputs: defaultdict[str, list[str]] = defaultdict(list)
    aliases: dict[str, str | None] = {}
    contexts: dict[str, Context] = {}
    for node in definition.nodes.values():
        aliases[node.id] = _fixed_name(node.config.get("outputVariable"))
        if (alias := aliases[node.id]) is not None:
            outputs[alias].append(node.id)
        if node.id not in types:
            continue
        if (variable := _fixed_name(types[node.id].handler.writes(node.config))) is not None:
            variables.add(variable)
        if (kind := types[node.id].container) is not None:
            item, index = (_fixed_name(node.config.get(key)) for key in ("itemVariable", "indexVariable"))
            contexts[node.id] = Context(container=node.id, kind=kind, item=item, index=index)
        if types[node.id].source and (name := _fixed_name(node.config.get("inputName"))) is not None:
            inputs[name].append(node.id)
    return Names(
        variables=frozenset(variables),
        aliases=aliases,
        outputs={name: tuple(nodes) for name, nodes in outputs.items()},
        inputs={name: tuple(nodes) for name, nodes in inputs.items()},
        contexts=contexts,
        owners={
            name: context.container
            for context in contexts.values()
            for name in (context.item, context.index)
            if name is not None
        },
        known=frozenset({*variables, *aliases, *outputs, *inputs, *PREFIXES, TRIGGER}),
    )


def _visible(candidates: tuple[str, ...], node: str, ancestry: Ancestry) -> tuple[str, ...]:
    """Those of *candidates* that are visible to *node*, in plan order."""
    seen = (candidate for candidate in candidates if ancestry.is_visible(candidate, to=node))
    return tuple(sorted(seen, key=ancestry.rank))


def _fixed_name(written: JSONValue) -> str | None:
    """*written*, when it is a name that can be known before a run."""
    return written if isinstance(written, str) and written and "{{" not in written else None
