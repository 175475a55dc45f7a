"""Why a workflow cannot be used as asked; its author's or its caller's move. What is wrong inside: `workflows.core`.

WorkflowRefused
├── NotPublished      no version can run yet
└── UnknownVersion    no version has this number
"""

from __future__ import annotations

from collections.abc import Sequence

from workflows.core import Issue


class WorkflowRefused(Exception):
    """The workflow cannot be used as asked."""


class NotPublished(WorkflowRefused):
    """No version of the workflow has been published."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        self.issues = tuple(issues)  # of the draft: what stands in the way, if anything does
        super().__init__("This workflow has no published version; publish its draft first.")


class UnknownVersion(WorkflowRefused):
    """The workflow has no version of this number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Version with id '{number}' not found")
        self.number = number
