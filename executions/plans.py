"""Plans as a worker uses them: laid out, their templates compiled, kept per process. A version never changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from executions.core import Graph, lay_out
from handlers.registry import NodeType, catalogue
from workflows.core import CompiledConfig, Plan, compile_config, load_plan
from workflows.models import WorkflowVersion

_KEPT = 256  # plans per process; one of 100 nodes takes about 200 KB with its templates


@dataclass(frozen=True, slots=True)
class Prepared:
    """One version, ready to run."""

    graph: Graph
    configs: dict[str, CompiledConfig]  # by node id, filled as nodes run

    def config(self, node_id: str) -> CompiledConfig:
        compiled = self.configs.get(node_id)
        if compiled is None:
            node = self.graph.node(node_id)
            kinds = self.node_type(node_id).handler.Config.field_kinds()
            compiled = self.configs[node_id] = compile_config(node.config, kinds)
        return compiled

    def node_type(self, node_id: str) -> NodeType:
        return catalogue[self.graph.node(node_id).type]


def prepare(plan: Plan) -> Prepared:
    return Prepared(lay_out(plan), {})


@lru_cache(maxsize=_KEPT)
def prepared(version_id: UUID) -> Prepared:
    """The version's plan. Raises WorkflowVersion.DoesNotExist."""
    plan = WorkflowVersion.objects.values_list("plan", flat=True).get(pk=version_id)
    return prepare(load_plan(plan))
