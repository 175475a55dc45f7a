"""What can be wrong with a workflow.

WorkflowError
├── InvalidDefinition   every issue at once
└── ExpressionError     an expression
    ├── ExpressionSyntax      does not parse           told at validation
    └── EvaluationError       cannot be evaluated      fails the node that holds it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from handlers import JSONObject


class Severity(StrEnum):
    """Whether an issue stands in the way."""

    ERROR = "error"  # can never run right: publishing and running are refused
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One thing that is wrong with a definition, where it is, and what would mend it."""

    code: str
    message: str
    severity: Severity = Severity.ERROR
    node_id: str | None = None
    edge_id: str | None = None
    field: str | None = None
    suggestion: str | None = None

    def to_json(self) -> JSONObject:
        """The issue as the API shows it; what does not apply is left out."""
        shown: JSONObject = {"code": self.code, "severity": self.severity.value, "message": self.message}
        for name in ("node_id", "edge_id", "field", "suggestion"):
            if (value := getattr(self, name)) is not None:
                shown[name] = value
        return shown


class WorkflowError(Exception):
    """A workflow cannot be used as it is."""


class InvalidDefinition(WorkflowError):
    """The definition has errors."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)
        errors = [issue.message for issue in self.issues if issue.severity is Severity.ERROR]
        super().__init__("; ".join(errors) or self.__doc__)


class ExpressionError(WorkflowError):
    """An expression cannot be used."""


class ExpressionSyntax(ExpressionError):
    """The expression does not parse."""

    def __init__(self, message: str, *, position: int) -> None:
        super().__init__(message)
        self.position = position  # 0-based character of the text


class EvaluationError(ExpressionError):
    """The expression cannot be evaluated."""

    def __init__(self, message: str, *, code: str = "expression_failed") -> None:
        super().__init__(message)
        self.code = code
