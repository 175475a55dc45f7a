"""What one attempt of a node is lent by the engine (`handlers.ports.Lent`): each thing from who has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from executions import outage, outputs
from executions.core.scopes import outermost
from executions.lent_files import LentFiles
from executions.limits import SharedLimits
from executions.memory import LentMemory
from executions.metadata import How, write_entry
from executions.report import Report
from handlers import JSONValue
from handlers.ports import Credential, Files, Limits, Memory
from workflows.credentials.lending import lend


@dataclass(frozen=True, slots=True)
class Loan:
    """Of one attempt. Nothing is fetched before the handler asks for it."""

    report: Report
    execution_id: UUID
    workspace_id: UUID

    def token(self, text: str) -> None:
        self.report.attempt.token(text)

    def progress(self, fraction: float, message: str = "") -> None:
        self.report.attempt.progress(fraction, message)

    def metadata(self, key: str, value: JSONValue, *, how: How = "set") -> None:
        mask = self.report.mask
        try:
            write_entry(self.execution_id, mask.text(str(key)), mask.json(outputs.encoded(value)), how=how)
        finally:
            _give_connection_back()

    def log(self, level: str, message: str) -> None:
        self.report.attempt.log(level, message)

    def hide(self, *secrets: str) -> None:
        self.report.hide(frozenset(secrets))

    def check_cancelled(self) -> None:
        self.report.attempt.check_cancelled()

    def on_cancel(self, stop: Callable[[], None]) -> None:
        self.report.attempt.on_cancel(stop)

    def remaining(self) -> float:
        return self.report.attempt.remaining()

    @property
    def files(self) -> Files:
        return LentFiles(self.workspace_id)

    @property
    def limits(self) -> Limits:
        return SharedLimits(self)

    @property
    def memory(self) -> Memory:
        visit = self.report.visit
        return LentMemory(
            execution_id=self.execution_id,
            node_id=outermost(visit.scope, visit.node_id),
            hide=lambda text: self.report.mask.json(text),  # noqa: PLW0108 -- the mask of that moment, which grows
        )

    def credential(self, credential_id: str) -> Credential:
        try:
            return outage.retried(lambda: lend(self.workspace_id, credential_id, self))
        finally:
            _give_connection_back()


def _give_connection_back() -> None:
    """A hundred nodes that wait must not hold a hundred connections. One that is pure runs within its drive's."""
    if not connection.in_atomic_block:
        connection.close()
