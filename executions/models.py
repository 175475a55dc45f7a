from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from executions.core.statuses import NodeStatus, RunStatus, WaitpointStatus
from executions.querysets import ExecutionQuerySet, NodeRunQuerySet, WaitpointQuerySet
from handlers import PauseKind
from handlers.ports import LONGEST_KEY
from workflows.fields import PlainJSONField
from workflows.ids import uuid7
from workflows.models import User, Workflow, WorkflowVersion, Workspace

_LIVE_RUN = Q(status__in=[status.value for status in RunStatus if not status.is_final])


class Execution(models.Model):
    """One run of one version. Its row changes when the run starts and ends; the hot part is `ExecutionState`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="executions", db_index=False)
    version = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(
        max_length=16, choices=[(status.value, status.value) for status in RunStatus], default=RunStatus.PENDING.value
    )
    trigger = models.CharField(max_length=16, default="api")  # what started it
    entry = models.CharField(max_length=128)  # the root it starts from
    tags = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    inputs = PlainJSONField(default=dict)
    outputs = PlainJSONField(null=True)
    outputs_ref = PlainJSONField(null=True)  # in their place, when they are too large for the row: core.results.Parts
    error = PlainJSONField(null=True)  # {"message", "code", "node_id", …} of a failed run
    started_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    until_node = models.CharField(max_length=128, null=True)  # it goes no further than this node
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="children", db_index=False)
    parent_node = models.CharField(max_length=128, null=True)  # the node of its parent that waits for its end
    parent_scope = models.TextField(null=True)
    depth = models.PositiveSmallIntegerField(default=0)  # parents above it
    # The run that it takes over from: it keeps what is not downstream of where it begins again.
    rerun_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="reruns", db_index=False)
    rerun_from = models.CharField(max_length=128, null=True)  # the node it begins again at; None: the failure, or all
    # Of a run that keeps something: the writes of variables by what it keeps, in the order in which they were folded,
    # [[top-level node, name, how, value], …].
    replayed = PlainJSONField(null=True)
    response = PlainJSONField(null=True)  # what its first `response` node said: {"status", "body", "headers"?}
    deadline_at = models.DateTimeField(null=True)  # when it has taken too long
    drive_failures = models.PositiveSmallIntegerField(default=0)  # drives that raised, one after the other
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in RunStatus]), name="execution_status"
            ),
            models.CheckConstraint(condition=_LIVE_RUN | Q(ended_at__isnull=False), name="execution_final_has_end"),
            models.UniqueConstraint(
                fields=["parent", "parent_node", "parent_scope"],
                name="execution_child_once",
                condition=Q(parent__isnull=False),
            ),
            models.CheckConstraint(
                condition=Q(outputs__isnull=True) | Q(outputs_ref__isnull=True), name="execution_outputs_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "-created_at"], name="execution_list"
            ),  # the list of a workspace, newest first
            models.Index(fields=["workflow", "-created_at"], name="execution_by_workflow"),  # ?workflow_id=
            models.Index(
                fields=["created_at"], name="execution_live", condition=_LIVE_RUN
            ),  # the sweep, operators: what is not over
            models.Index(
                fields=["ended_at"], name="execution_ended", condition=Q(ended_at__isnull=False)
            ),  # the invariants: what ended lately
            GinIndex(fields=["tags"], name="execution_tags"),  # ?tag=
            models.Index(
                fields=["deadline_at"], name="execution_deadline", condition=_LIVE_RUN & Q(deadline_at__isnull=False)
            ),  # the sweep: what takes too long
            models.Index(
                fields=["parent"], name="execution_children", condition=Q(parent__isnull=False)
            ),  # a parent's cancel, the sweep: what a run started
            models.Index(
                fields=["rerun_of"], name="execution_reruns", condition=Q(rerun_of__isnull=False)
            ),  # ?rerun_of=, and the deletion of a run
        ]

    def __str__(self) -> str:
        return f"{self.id} ({self.status})"


class ExecutionState(models.Model):
    """The truth for what has been folded: written at every step, so no secondary index and no foreign key upon it."""

    execution = models.OneToOneField(
        Execution, on_delete=models.CASCADE, primary_key=True, related_name="state", db_constraint=False
    )
    ver = models.BigIntegerField(default=0)  # grows with every write; who holds an older one has lost
    seq = models.BigIntegerField(default=0)  # number of the newest event
    state = PlainJSONField(null=True)  # executions.core.state; null until the first drive
    folded_at = models.DateTimeField()  # when it was last written
    lets_go_on = models.BooleanField(default=False)  # core.state says so: read by workers that do not hold the lock

    def __str__(self) -> str:
        return f"{self.execution_id} v{self.ver}"


class NodeRun(models.Model):
    """One node in one scope of one run, from ready to its end. `attempt` is the fence: an older one cannot write.

    Rows are made when a node becomes ready. Those not yet folded into the state are its inbox.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # Without constraints: a check on every insert locks the execution's row for others and costs a third of a step.
    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="node_runs", db_constraint=False, db_index=False
    )
    node_id = models.CharField(max_length=128)
    scope = models.TextField(default="", blank=True)  # path of iterations and branches: executions.core.scopes
    node_type = models.CharField(max_length=64)
    lane = models.CharField(max_length=8)
    status = models.CharField(max_length=16, choices=[(status.value, status.value) for status in NodeStatus])
    attempt = models.PositiveSmallIntegerField(default=1)
    lost = models.PositiveSmallIntegerField(default=0)  # workers that died while they ran it
    # The WorkerLease that runs it. None while no worker does: it waits for one, or for its body, or for its child.
    owner = models.BigIntegerField(null=True)
    due_at = models.DateTimeField(null=True)  # ready, but not before
    history = PlainJSONField(null=True)  # attempts before this one: [{"attempt", "started_at", "ended_at", "error"}, …]
    folded = models.BooleanField(default=False)  # the state knows how it ended
    announced = models.BooleanField(default=False)  # node:started has its number
    handled = models.BooleanField(default=False)  # it failed, and the workflow says what then
    kept = models.BooleanField(default=False, db_default=False)  # it ran in the run before, and not again in this one
    input = PlainJSONField(null=True)  # configuration as resolved, for people; long ones are cut and say so
    output = PlainJSONField(null=True)
    output_ref = PlainJSONField(null=True)  # in its place, when it is too large for the row: blobs.Blob
    error = PlainJSONField(null=True)
    port = models.TextField(null=True)
    continued = models.CharField(max_length=128, null=True)  # the node its worker went on with: core.segments
    writes = PlainJSONField(null=True)  # of workflow variables, to be applied by the fold
    usage = PlainJSONField(null=True)
    logs = PlainJSONField(null=True)  # [[iso time, level, message], …]
    ready_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = NodeRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["execution", "node_id", "scope"], name="noderun_once"),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in NodeStatus]), name="noderun_status"
            ),
            models.CheckConstraint(
                condition=Q(output__isnull=True) | Q(output_ref__isnull=True), name="noderun_output_once"
            ),
        ]
        indexes = [
            # claims, the inbox of a drive, the sweep: only what is alive
            models.Index(fields=["execution", "status"], name="noderun_live", condition=Q(folded=False)),
        ]

    def __str__(self) -> str:
        return f"{self.scope}{self.node_id} #{self.attempt} ({self.status})"


class Frame(models.Model):
    """What an open container goes through, in chunks so that a branch loads its own. Written when it opens."""

    pk = models.CompositePrimaryKey("execution_id", "node_id", "scope", "first")
    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="frames", db_constraint=False, db_index=False
    )
    node_id = models.CharField(max_length=128)
    scope = models.TextField()  # in which the container is
    first = models.IntegerField()  # index of the first item in this chunk
    total = models.IntegerField(null=True)  # iterations or branches; None: its condition says
    items = PlainJSONField()

    def __str__(self) -> str:
        return f"{self.scope}{self.node_id}[{self.first}…]"


class Waitpoint(models.Model):
    """Something a run waits for: an answer, an event, a moment. Stored before anybody is told of it, answered once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+", db_index=False)
    # None: a token that was made by hand, and that no run has come to yet.
    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, null=True, related_name="waitpoints", db_index=False
    )
    node_id = models.CharField(max_length=128, null=True)
    scope = models.TextField(default="", blank=True)
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in PauseKind])
    status = models.CharField(
        max_length=16,
        choices=[(status.value, status.value) for status in WaitpointStatus],
        default=WaitpointStatus.OPEN.value,
    )
    prompt = PlainJSONField(null=True)  # text; a column of texts could not hold every character there is
    schema = PlainJSONField(null=True)  # JSON Schema of the answer; None: any
    form = PlainJSONField(default=dict)  # how to ask for it
    votes_needed = models.PositiveSmallIntegerField(null=True)  # of `voters`; None: one answer decides
    voters = models.PositiveSmallIntegerField(null=True)
    key = models.CharField(max_length=255, null=True)  # EVENT: its type
    matches = PlainJSONField(default=dict)  # EVENT: what its payload must have
    state = PlainJSONField(default=dict)  # of the handler, for when it goes on
    due_at = models.DateTimeField(null=True)  # TIMER: when it wakes; others: when it expires
    answer = PlainJSONField(null=True)
    answered_by = models.CharField(max_length=255, null=True)
    folded = models.BooleanField(default=False)  # its run knows how it ended
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = WaitpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in WaitpointStatus]), name="waitpoint_status"
            ),
            models.CheckConstraint(
                condition=Q(status="open") | Q(closed_at__isnull=False), name="waitpoint_closed_has_time"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-created_at"], name="waitpoint_list"),
            models.Index(fields=["execution"], name="waitpoint_by_run", condition=Q(execution__isnull=False)),
            models.Index(
                fields=["due_at"], name="waitpoint_due", condition=Q(status="open", due_at__isnull=False)
            ),  # the sweep: what wakes or expires
            models.Index(
                fields=["closed_at"], name="waitpoint_unfolded", condition=Q(folded=False, closed_at__isnull=False)
            ),  # the sweep: answers that no drive has folded
            models.Index(
                fields=["workspace", "key"], name="waitpoint_event", condition=Q(kind="event", status="open")
            ),  # an event: who waits for it
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.scope}{self.node_id} ({self.status})"


class Vote(models.Model):
    """One voter's answer to a waitpoint that several decide."""

    waitpoint = models.ForeignKey(Waitpoint, on_delete=models.CASCADE, related_name="votes", db_index=False)
    voter = models.CharField(max_length=255)
    value = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["waitpoint", "voter"], name="vote_once")]

    def __str__(self) -> str:
        return f"{self.voter}: {self.value}"


class RunMetadata(models.Model):
    """One thing that a node has said about its run (`executions.metadata`)."""

    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="metadata", db_constraint=False, db_index=False
    )
    key = models.CharField(max_length=128)
    value = PlainJSONField()
    revision = models.BigIntegerField(default=1, db_default=1)  # how often it was written

    class Meta:
        # Also the index of a run's entries.
        constraints = [models.UniqueConstraint(fields=["execution", "key"], name="run_metadata_once")]

    def __str__(self) -> str:
        return self.key


class MemoryEntry(models.Model):
    """What a node has stored under a key for the nodes of its run (`executions.memory`)."""

    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="memory", db_constraint=False, db_index=False
    )
    key = models.CharField(max_length=LONGEST_KEY)
    # The top-level node that stored it, or in whose body it was. A run that keeps this node has the entry again, as it
    # was then: what others stored under the key later is in their rows.
    node_id = models.CharField(max_length=128)
    value = PlainJSONField()
    size = models.PositiveIntegerField()  # bytes of the value's JSON
    embedding = models.BinaryField(null=True)  # 32-bit floats
    embedded_by = models.CharField(max_length=256, null=True)  # the model whose embedding that is
    first_at = models.DateTimeField()
    stored_at = models.DateTimeField()  # of two rows of a key, the later one counts

    class Meta:
        # Also the index of a run's entries.
        constraints = [models.UniqueConstraint(fields=["execution", "key", "node_id"], name="memory_entry_once")]

    def __str__(self) -> str:
        return self.key


class Snapshot(models.Model):
    """The whole state of a run when it paused, in the encoding of its live state: outputs stay in their rows."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="snapshots", db_constraint=False, db_index=False
    )
    seq = models.BigIntegerField()  # number of the newest event it knows of
    version = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, related_name="+", db_index=False)  # its plan
    state = PlainJSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["execution", "seq"], name="snapshot_once")]

    def __str__(self) -> str:
        return f"{self.execution_id} at {self.seq}"


class Event(models.Model):
    """A numbered fact about a run: the promise to clients. Without gaps from 1."""

    pk = models.CompositePrimaryKey("execution_id", "seq")
    execution = models.ForeignKey(
        Execution, on_delete=models.CASCADE, related_name="events", db_constraint=False, db_index=False
    )
    seq = models.BigIntegerField()
    type = models.CharField(max_length=32)
    node_id = models.CharField(max_length=128, null=True)
    scope = models.TextField(default="")
    data = PlainJSONField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"


class WorkerLease(models.Model):
    """A worker process that is alive until `expires_at`, by the database's clock, unless it renews."""

    id = models.BigAutoField(primary_key=True)
    hostname = models.CharField(max_length=255)
    pid = models.IntegerField()
    lanes = ArrayField(models.CharField(max_length=8), default=list)
    started_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.hostname}:{self.pid}"
