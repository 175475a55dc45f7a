"""The statements that every step of every run goes through, as SQL behind named functions. Elsewhere: the ORM.

Three rules hold them together.

* An **outcome** is recorded only by the attempt that holds the row: `status = 'running' AND attempt = … AND owner = …`.
  Where that touches no row, the writer has been fenced off and nothing else of its statement happens.
* The **state** is written only over the version it was computed from (`ver`). Where that fails, somebody else drove; an
  outcome in the same statement is then kept, unfolded, for the next drive.
* Locks are taken in one order: the state row (FOR NO KEY UPDATE, which lets rows that refer to the run be inserted),
  the execution, then its node runs. A node's own outcome takes only its own row, and the execution before it (shared)
  where its worker goes on with the next.

They are prepared and bound on the server: planning them anew would cost more than running them.
"""

from executions.hotpath.rows import Again, Chunk, ClaimedRow, Closing, Ended, InboxRow, NewRow, Recorded, RunRow
from executions.hotpath.steps import save
from executions.hotpath.turns import NewsRow, create, inbox, lock, news
from executions.hotpath.visits import (
    FOLD_EVERY,
    ResultRow,
    Visit,
    WaitingRow,
    claim,
    exists,
    is_ours,
    is_out,
    is_recorded,
    items,
    output_sizes,
    outputs,
    record,
    record_and_go_on,
    results,
    variables,
    waiting,
)

__all__ = [
    "FOLD_EVERY",
    "Again",
    "Chunk",
    "ClaimedRow",
    "Closing",
    "Ended",
    "InboxRow",
    "NewRow",
    "NewsRow",
    "Recorded",
    "ResultRow",
    "RunRow",
    "Visit",
    "WaitingRow",
    "claim",
    "create",
    "exists",
    "inbox",
    "is_ours",
    "is_out",
    "is_recorded",
    "items",
    "lock",
    "news",
    "output_sizes",
    "outputs",
    "record",
    "record_and_go_on",
    "results",
    "save",
    "variables",
    "waiting",
]
