"""From a workflow definition to a plan a scheduler can walk. Pure: no Django, clock or I/O.

    issues = validate(payload)                    # everything at once, for the author
    plan = build_plan(parse_definition(payload))  # InvalidDefinition lists every issue

At run time, a node's configuration is compiled once and resolved at each of its runs:

    compiled = compile_config(node.config, handler.Config.field_kinds())
    resolved = resolve_config(compiled, lookup)   # .config for the handler, .unknown to be noted
"""

from workflows.core.absent import MISSING, UNKNOWN, Absent
from workflows.core.build import build_plan, validate
from workflows.core.definition import Definition
from workflows.core.errors import (
    EvaluationError,
    ExpressionError,
    ExpressionSyntax,
    InvalidDefinition,
    Issue,
    Severity,
    WorkflowError,
)
from workflows.core.expressions import Expression, Lookup, Reference, evaluate, parse, text_of, walk
from workflows.core.parsing import parse_definition
from workflows.core.plan import Plan, PlanEdge, PlanNode, PlanTooNew, load_plan
from workflows.core.rules import check
from workflows.core.templates import (
    CompiledConfig,
    Resolved,
    ResolvedConfig,
    Template,
    compile_config,
    compile_value,
    resolve,
    resolve_config,
)

__all__ = [
    "MISSING",
    "UNKNOWN",
    "Absent",
    "CompiledConfig",
    "Definition",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "ExpressionSyntax",
    "InvalidDefinition",
    "Issue",
    "Lookup",
    "Plan",
    "PlanEdge",
    "PlanNode",
    "PlanTooNew",
    "Reference",
    "Resolved",
    "ResolvedConfig",
    "Severity",
    "Template",
    "WorkflowError",
    "build_plan",
    "check",
    "compile_config",
    "compile_value",
    "evaluate",
    "load_plan",
    "parse",
    "parse_definition",
    "resolve",
    "resolve_config",
    "text_of",
    "validate",
    "walk",
]
