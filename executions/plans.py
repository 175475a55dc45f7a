"""Plans as a worker uses them: laid out, their templates compiled, kept per process. A version never changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from executions.core import Graph, lay_out
from executions.core.context import containers_read, reads_any
from handlers import JSONValue
from handlers.registry import NodeType, catalogue
from workflows.core import CompiledConfig, Expression, Plan, PlanNode, compile_config, load_plan, parse
from workflows.core.mentions import find_mentions
from workflows.core.plan import Source
from workflows.models import WorkflowVersion

_KEPT = 256  # plans per process; one of 100 nodes takes about 200 KB with its templates


@dataclass(frozen=True, slots=True)
class Prepared:
    """One version, ready to run."""

    version_id: UUID
    graph: Graph
    configs: dict[str, CompiledConfig]  # by node id, filled as nodes run
    conditions: dict[str, Expression | JSONValue]  # of loops, by node id, likewise
    env_names: frozenset[str]  # variables of the workspace that some node mentions
    needs: dict[str, frozenset[str]]  # of containers: what of their context their bodies read; see Binding.needs

    def config(self, node_id: str) -> CompiledConfig:
        compiled = self.configs.get(node_id)
        if compiled is None:
            node = self.graph.node(node_id)
            kinds = self.node_type(node_id).handler.Config.field_kinds()
            compiled = self.configs[node_id] = compile_config(node.config, kinds)
        return compiled

    def condition(self, node_id: str) -> Expression | JSONValue:
        """What a loop asks; a value that is no text is its own answer."""
        if node_id not in self.conditions:
            written = self.graph.node(node_id).config.get("condition")
            self.conditions[node_id] = parse(written) if isinstance(written, str) and written.strip() else written
        return self.conditions[node_id]

    def node_type(self, node_id: str) -> NodeType:
        return catalogue[self.graph.node(node_id).type]


def prepare(plan: Plan, version_id: UUID) -> Prepared:
    env_names = frozenset(name for node in plan.nodes for name in _env_names(node))
    return Prepared(version_id, lay_out(plan), {}, {}, env_names, _needs(plan))


def _needs(plan: Plan) -> dict[str, frozenset[str]]:
    needs: dict[str, frozenset[str]] = {}
    for node in plan.nodes:
        for reads in (node.reads, node.deferred_reads):
            for container, needed in containers_read(reads).items():
                needs[container] = needs.get(container, frozenset()) | needed
    return needs


@lru_cache(maxsize=_KEPT)
def prepared(version_id: UUID) -> Prepared:
    """The version's plan. Raises WorkflowVersion.DoesNotExist."""
    plan = WorkflowVersion.objects.values_list("plan", flat=True).get(pk=version_id)
    return prepare(load_plan(plan), version_id)


def _env_names(node: PlanNode) -> Iterator[str]:
    if not (reads_any(node.reads, Source.ENV) or reads_any(node.deferred_reads, Source.ENV)):
        return
    # Of a type that is no longer installed, everything is a template: it cannot run, and must not stop those that can.
    kinds = catalogue[node.type].handler.Config.field_kinds() if node.type in catalogue else {}
    for mention in find_mentions(node.config, kinds):
        if isinstance(mention.parsed, Expression):
            for reference in mention.parsed.references:
                if reference.root == "env":  # validation saw to it that a name follows
                    yield str(reference.parts[1])
