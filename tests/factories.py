"""One factory per model; each makes the dullest valid object, so that a test shows what matters to it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from executions.core import EventType, NodeStatus, RunStatus
from executions.models import (
    Event,
    Execution,
    ExecutionState,
    NodeRun,
    Snapshot,
    Vote,
    Waitpoint,
    WorkerLease,
)
from handlers import Lane, PauseKind
from workflows.core import build_plan, parse_definition
from workflows.credentials import values
from workflows.encryption import encrypted
from workflows.files.services import write_file
from workflows.models import (
    ApiKey,
    Credential,
    Member,
    StoredAnswer,
    User,
    Variable,
    Workflow,
    WorkflowVersion,
    Workspace,
    WorkspaceFile,
)
from workflows.workspaces import keys
from workflows.workspaces.roles import ALL_SCOPES, Role

PASSWORD = "correct horse"


def definition(*nodes: str, types: str = "trigger") -> dict[str, Any]:
    """A line of nodes, one after the other; without names a single one, `start`."""
    names = nodes or ("start",)
    drawn = {name: {"type": types, "name": name.title(), "config": {}, "position": {"x": 0, "y": 0}} for name in names}
    pairs = pairwise(names)
    edges = [{"id": f"{source}-{target}", "source": source, "target": target} for source, target in pairs]
    return {"nodes": drawn, "edges": edges}


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"user{number}")
    password = factory.django.Password(PASSWORD)


class WorkspaceFactory(DjangoModelFactory[Workspace]):
    class Meta:
        model = Workspace

    name = factory.Sequence(lambda number: f"Workspace {number}")
    slug = factory.Sequence(lambda number: f"workspace-{number}")


class MemberFactory(DjangoModelFactory[Member]):
    class Meta:
        model = Member

    workspace = factory.SubFactory(WorkspaceFactory)
    user = factory.SubFactory(UserFactory)
    role = Role.OWNER


class ApiKeyFactory(DjangoModelFactory[ApiKey]):
    """With every scope. `text` is the key itself; the object keeps it as an attribute, the row does not."""

    class Meta:
        model = ApiKey
        exclude = ["text"]

    workspace = factory.SubFactory(WorkspaceFactory)
    name = "key"
    text = factory.LazyFunction(keys.new_key)
    prefix = factory.LazyAttribute(lambda key: key.text[: keys.SHOWN])
    digest = factory.LazyAttribute(lambda key: keys.digest(key.text))
    scopes = factory.LazyFunction(lambda: sorted(ALL_SCOPES))


class WorkspaceFileFactory(DjangoModelFactory[WorkspaceFile]):
    """With its content, which is not in the row."""

    class Meta:
        model = WorkspaceFile

    workspace = factory.SubFactory(WorkspaceFactory)
    path = factory.Sequence(lambda number: f"file-{number}.txt")
    content = b"content"

    @classmethod
    def _create(cls, model_class: type[WorkspaceFile], *args: Any, **fields: Any) -> WorkspaceFile:
        return write_file(fields.pop("workspace").pk, fields.pop("path"), fields.pop("content"), **fields)


class VariableFactory(DjangoModelFactory[Variable]):
    """A plain one. With `secret`, the row has its value encrypted, as it would be."""

    class Meta:
        model = Variable

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda number: f"NAME_{number}")
    value = "value"
    secret = False

    @classmethod
    def _create(cls, model_class: type[Variable], *args: Any, **fields: Any) -> Variable:
        fields["value"] = encrypted(fields["value"]) if fields["secret"] else fields["value"]
        return super()._create(model_class, *args, **fields)


class CredentialFactory(DjangoModelFactory[Credential]):
    """A bearer token, unless *kind* and *filled*, its values, say otherwise."""

    class Meta:
        model = Credential

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda number: f"Credential {number}")
    kind = "bearer"

    @classmethod
    def _create(cls, model_class: type[Credential], *args: Any, **fields: Any) -> Credential:
        filled = fields.pop("filled", {"token": "tok-5f1c9e"})
        credential = model_class(*args, **fields)
        values.write(credential, values.checked(credential.kind, filled))
        credential.save(force_insert=True)
        return credential


class WorkflowFactory(DjangoModelFactory[Workflow]):
    """A draft that nobody has published."""

    class Meta:
        model = Workflow

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda number: f"Workflow {number}")
    definition = factory.LazyFunction(definition)


class WorkflowVersionFactory(DjangoModelFactory[WorkflowVersion]):
    """A version of its workflow's draft, and the one that runs."""

    class Meta:
        model = WorkflowVersion
        skip_postgeneration_save = True

    workflow = factory.SubFactory(WorkflowFactory)
    number = 1
    definition = factory.SelfAttribute("workflow.definition")
    plan = factory.LazyAttribute(lambda version: build_plan(parse_definition(version.definition)).dump())

    @factory.post_generation
    def published(version: WorkflowVersion, create: bool, extracted: bool | None, **_: Any) -> None:  # noqa: N805 -- factory-boy's way
        if extracted is not False:
            version.workflow.published = version
            version.workflow.save(update_fields=["published"])


class ExecutionFactory(DjangoModelFactory[Execution]):
    """A run that nobody has driven yet."""

    class Meta:
        model = Execution
        skip_postgeneration_save = True

    version = factory.SubFactory(WorkflowVersionFactory)
    workflow = factory.SelfAttribute("version.workflow")
    workspace = factory.SelfAttribute("workflow.workspace")
    entry = "start"
    created_at = factory.LazyFunction(timezone.now)
    state = factory.RelatedFactory("tests.factories.ExecutionStateFactory", factory_related_name="execution")


class ExecutionStateFactory(DjangoModelFactory[ExecutionState]):
    class Meta:
        model = ExecutionState

    execution = factory.SubFactory(ExecutionFactory, state=None)
    seq = 0
    folded_at = factory.LazyFunction(timezone.now)


class NodeRunFactory(DjangoModelFactory[NodeRun]):
    """A node that is ready and waits for a worker."""

    class Meta:
        model = NodeRun

    execution = factory.SubFactory(ExecutionFactory)
    node_id = "start"
    node_type = "trigger"
    lane = Lane.DRIVE.value
    status = NodeStatus.READY
    ready_at = factory.LazyFunction(timezone.now)


class WaitpointFactory(DjangoModelFactory[Waitpoint]):
    """A question to people that nobody has answered."""

    class Meta:
        model = Waitpoint

    execution = factory.SubFactory(ExecutionFactory, status=RunStatus.PAUSED)
    workspace = factory.SelfAttribute("execution.workspace")
    node_id = "ask"
    kind = PauseKind.HUMAN
    created_at = factory.LazyFunction(timezone.now)


class VoteFactory(DjangoModelFactory[Vote]):
    class Meta:
        model = Vote

    waitpoint = factory.SubFactory(WaitpointFactory, votes_needed=2, voters=3)
    voter = factory.Sequence(lambda number: f"voter{number}")
    value = True
    at = factory.LazyFunction(timezone.now)


class SnapshotFactory(DjangoModelFactory[Snapshot]):
    class Meta:
        model = Snapshot

    execution = factory.SubFactory(ExecutionFactory, status=RunStatus.PAUSED)
    version = factory.SelfAttribute("execution.version")
    seq = 1
    state = factory.LazyFunction(lambda: {"status": "paused"})
    created_at = factory.LazyFunction(timezone.now)


class EventFactory(DjangoModelFactory[Event]):
    class Meta:
        model = Event

    execution = factory.SubFactory(ExecutionFactory)
    seq = 1
    type = EventType.EXECUTION_CANCELLED
    data = factory.LazyFunction(lambda: {"reason": "enough", "duration_ms": 0})
    at = factory.LazyFunction(timezone.now)


class WorkerLeaseFactory(DjangoModelFactory[WorkerLease]):
    """A worker that is alive."""

    class Meta:
        model = WorkerLease

    hostname = "worker"
    pid = 1
    started_at = factory.LazyFunction(timezone.now)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=1))


class StoredAnswerFactory(DjangoModelFactory[StoredAnswer]):
    class Meta:
        model = StoredAnswer

    workspace = factory.SubFactory(WorkspaceFactory)
    key = factory.Sequence(lambda number: f"key-{number}")
    fingerprint = "0" * 64
    status = 200
    body = factory.LazyFunction(dict)
    created_at = factory.LazyFunction(timezone.now)
