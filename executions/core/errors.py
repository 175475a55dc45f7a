"""What can go wrong between a run and its engine.

ExecutionError
├── IllegalTransition   a status cannot follow another: ours, a bug
├── StateTooNew         the stored state was written by a newer release
└── NotCancellable      the run is already over (the caller's move)
"""

from __future__ import annotations


class ExecutionError(Exception):
    """A run cannot do what was asked of it."""


class IllegalTransition(ExecutionError):
    """A status cannot follow another."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(f"{old} → {new}")
        self.old, self.new = old, new


class StateTooNew(ExecutionError):
    """The stored state was written by a newer release than this one; upgrade this process."""


class NotCancellable(ExecutionError):
    """The run is already over."""

    def __init__(self, status: str) -> None:
        super().__init__(f"Execution cannot be cancelled. Current status: {status}")
        self.status = status
