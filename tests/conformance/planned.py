"""A case of the suite, checked and planned once, and run as often as wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any
from uuid import uuid4

from executions.plans import Prepared, prepare
from handlers import HandlerError, JSONObject
from handlers import catalogue as built_in
from handlers.registry import NodeType
from tests.conformance.sources import PreparedWith, environment_of
from workflows.core import Severity, build_plan, parse_definition, validate


class Planned:
    """What there is of a case before it is run."""

    def __init__(self, case: Mapping[str, Any], *, catalogue: Mapping[str, NodeType] = built_in) -> None:
        issues = validate(case["definition"], catalogue=catalogue)
        self.issues = [issue.to_json() for issue in issues]
        self.is_rejected = any(issue.severity is Severity.ERROR for issue in issues)
        self.inputs: JSONObject = case.get("inputs") or {}
        begun = case.get("start") or {}
        self.entry, self.until = begun.get("entry"), begun.get("stop_after")
        self.environment = environment_of(case.get("env") or {})
        self._catalogue, self._drawn = catalogue, dict(case.get("workflows") or {})
        self._prepared: dict[str | None, Prepared] = {}
        if not self.is_rejected:
            self._prepared[None] = self._prepare(case["definition"])

    def prepared(self, name: str | None) -> Prepared:
        """The workflow itself, or a sub-workflow by its name. Raises HandlerError when there is none."""
        if name not in self._prepared:
            if name not in self._drawn:
                raise HandlerError(f"there is no workflow {name!r}", code="not_found")
            self._prepared[name] = self._prepare(self._drawn[name])
        return self._prepared[name]

    def _prepare(self, definition: JSONObject) -> Prepared:
        made = prepare(build_plan(parse_definition(definition), catalogue=self._catalogue), uuid4())
        return PreparedWith(**{each.name: getattr(made, each.name) for each in fields(made)}, catalogue=self._catalogue)
