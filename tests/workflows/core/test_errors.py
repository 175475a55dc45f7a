"""Issues and the exception that carries them."""

from __future__ import annotations

from workflows.core import InvalidDefinition, Issue, Severity


def test_issue_as_json_has_what_applies() -> None:
    """What does not apply is left out rather than null."""
    issue = Issue(code="NO_NODES", message="none", severity=Severity.WARNING, node_id="a", suggestion="draw some")

    assert issue.to_json() == {
        "code": "NO_NODES",
        "severity": "warning",
        "message": "none",
        "node_id": "a",
        "suggestion": "draw some",
    }


def test_invalid_definition_reads_as_its_errors() -> None:
    """Its text is what refuses the run; warnings ride along."""
    issues = [
        Issue(code="A", message="first"),
        Issue(code="B", message="a warning", severity=Severity.WARNING),
        Issue(code="C", message="second"),
    ]

    refused = InvalidDefinition(issues)

    assert (str(refused), refused.issues) == ("first; second", tuple(issues))
