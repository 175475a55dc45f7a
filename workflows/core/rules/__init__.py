"""Everything that can be wrong with a definition whose shape is right. One function per rule, all always asked."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from handlers import catalogue as built_in
from handlers.registry import NodeType
from workflows.core.analysis import Analysis, analyse
from workflows.core.definition import Definition
from workflows.core.errors import Issue, Severity
from workflows.core.rules.configs import check_configs, check_expressions, check_types
from workflows.core.rules.containers import check_bodies, check_ignored, check_parallel_writes
from workflows.core.rules.drawing import check_cycles, check_edges, check_gotos, check_nodes, check_start
from workflows.core.rules.variables import check_names, check_writes

__all__ = ["RULES", "check", "judge"]

RULES: Final[tuple[Callable[[Analysis], Iterator[Issue]], ...]] = (
    check_nodes,
    check_types,
    check_edges,
    check_start,
    check_cycles,
    check_gotos,
    check_bodies,
    check_configs,
    check_ignored,
    check_expressions,
    check_names,
    check_writes,
    check_parallel_writes,
)


def check(definition: Definition, *, catalogue: Mapping[str, NodeType] = built_in) -> list[Issue]:
    """All issues of *definition*, errors first; none is an error when a plan can be built."""
    return judge(analyse(definition, catalogue))


def judge(analysis: Analysis) -> list[Issue]:
    """As `check`, for who needs the analysis as well."""
    issues = [issue for rule in RULES for issue in rule(analysis)]
    return sorted(issues, key=lambda issue: issue.severity is not Severity.ERROR)
