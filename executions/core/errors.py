"""What can go wrong between a run and its engine.

ExecutionError
├── IllegalTransition   a status cannot follow another: ours, a bug
├── StateTooNew         the stored state was written by a newer release
├── NotCancellable      the run is already over (the caller's move)
├── OutputsTooLarge     the outputs of a run are more than one answer may hold
└── BlobError           a large output cannot be kept or read (the operator's move)
    ├── BlobsAway       the storage does not answer: to be tried again
    ├── BlobMissing     it answers, and does not know the blob: not mounted, not shared, or lost
    └── BlobDamaged     what lies there is not what was put there
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


class OutputsTooLarge(ExecutionError):
    """The outputs of a run are larger, together, than a single output may be; each is there for itself."""

    def __init__(self, *, size: int, limit: int) -> None:
        super().__init__(
            f"the outputs of the run have {size:,} bytes together; the limit is {limit:,}. Read them node by node."
        )
        self.size, self.limit = size, limit  # bytes


class BlobError(ExecutionError):
    """A large output cannot be kept or read."""


class BlobsAway(BlobError):
    """The storage of large outputs does not answer."""


class BlobMissing(BlobError):
    """A large output is not in its storage."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} is not in the storage of large outputs. Is it mounted, and the same for all machines? "
            "See FLOWMAESTRO_BLOB_STORAGE."
        )
        self.key = key


class BlobDamaged(BlobError):
    """A large output is not what was put into its storage."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} in the storage of large outputs is not what was put there.")
        self.key = key
