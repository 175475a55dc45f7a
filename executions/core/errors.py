"""What can go wrong between a run and its engine.

ExecutionError
├── IllegalTransition   a status cannot follow another: ours, a bug
├── StateTooNew         the stored state was written by a newer release
├── NotCancellable      the run is already over (the caller's move)
├── NotPausable         likewise
├── NotHeld             nobody paused the run on request (the caller's move)
├── NotDeletable        the run, or one that it belongs with, is not over (the caller's move)
├── NotRepeatable       no run can take over from this one as it was asked (the caller's move)
│   ├── NotOverYet      it is still going on
│   ├── NothingFailed   it completed, so there is no failure to go back to
│   ├── BadStart        it cannot be begun again at that node
│   └── BadVersion      nor on that version
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


class NotPausable(ExecutionError):
    """The run is already over."""

    def __init__(self, status: str) -> None:
        super().__init__(f"Execution cannot be paused. Current status: {status}")
        self.status = status


class NotHeld(ExecutionError):
    """Nobody has paused the run on request."""

    def __init__(self, status: str) -> None:
        super().__init__(f"Execution is not paused on request. Current status: {status}")
        self.status = status


class NotDeletable(ExecutionError):
    """The run, or one that it belongs with, is not over."""

    def __init__(self, status: str) -> None:
        super().__init__(f"The execution, or one that it was started by or has started, is {status}: cancel it first.")
        self.status = status


class NotRepeatable(ExecutionError):
    """No run can take over from this one as it was asked."""


class NotOverYet(NotRepeatable):
    """The run is still going on."""

    def __init__(self, status: str) -> None:
        super().__init__(f"The execution is {status}; it can be retried or rerun when it is over.")
        self.status = status


class NothingFailed(NotRepeatable):
    """The run completed."""

    def __init__(self) -> None:
        super().__init__("The execution completed, so there is no failure to retry from; rerun it from a node.")


class BadStart(NotRepeatable):
    """A run cannot be begun again at a node."""

    def __init__(self, node_id: str, why: str) -> None:
        super().__init__(f"{node_id!r} {why}")
        self.node_id = node_id


class BadVersion(NotRepeatable):
    """A run cannot be begun again on a version that is too different."""

    def __init__(self, node_id: str, why: str) -> None:
        super().__init__(f"{node_id!r} {why}")
        self.node_id = node_id


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
