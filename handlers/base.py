"""The contract between the engine and a node type: what a node is given, what it may say, what it returns.

A handler is told one attempt of one node with its configuration resolved and checked, does its work and returns a
`NodeOutput`, or raises a `HandlerError`. It never sees the graph, the database or another node: what it needs of the
outside is lent to it (`handlers.ports`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Generic, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from handlers.ports import Lent

JSONScalar: TypeAlias = "str | int | float | bool | None"
JSONValue: TypeAlias = "JSONScalar | list[JSONValue] | dict[str, JSONValue]"
JSONObject: TypeAlias = "dict[str, JSONValue]"


class Effect(StrEnum):
    """Whether running a node twice could be noticed outside."""

    PURE = "pure"  # cheap and without trace: runs inside the drive, many in one transaction
    EFFECT = "effect"  # claimed and committed before it starts; retried by default


class Lane(StrEnum):
    """The Celery queue whose workers suit a node."""

    DRIVE = "drive"  # decisions and pure nodes
    IO = "io"  # waits on others: many threads, no database connection held meanwhile
    CPU = "cpu"  # computes: processes


class ContainerKind(StrEnum):
    """How a node that has a body runs it."""

    LOOP = "loop"  # iterations, one after the other
    PARALLEL = "parallel"  # branches, side by side


class PauseKind(StrEnum):
    """What a run waits for."""

    HUMAN = "human"  # somebody's answer
    TIMER = "timer"  # a moment
    TOKEN = "token"  # noqa: S105 -- whoever holds it
    EVENT = "event"  # one that is sent to the workspace


# The port of a pause that expires. The engine chooses it when an edge leaves by it; without one the node fails with
# `waitpoint_expired`. Either way the success edges are dead.
TIMEOUT_PORT: Final = "timeout"


class FieldKind(Enum):
    """How the engine reads a field of a node's configuration before the handler sees it."""

    TEMPLATE = "template"  # every {{…}} in it is replaced; a lone one keeps its type
    CONDITION = "condition"  # an expression; the handler is given its value
    EXPRESSION = (
        "expression"  # text without {{ is an expression, of which the handler is given the value; else a template
    )
    DEFERRED = "deferred"  # a condition that the engine evaluates when it is due; the handler is given the text
    RAW = "raw"  # a language of its own: handed over as written


Condition: TypeAlias = Annotated[Any, FieldKind.CONDITION]
Expression: TypeAlias = Annotated[Any, FieldKind.EXPRESSION]
Deferred: TypeAlias = Annotated[Any, FieldKind.DEFERRED]
Raw: TypeAlias = Annotated[str, FieldKind.RAW]


class NodeConfig(BaseModel):
    """Base of node configurations. Unknown keys are left alone: exported workflows carry many an editor's notes.

    A field `fail_on_status` is the key `failOnStatus` of a definition, whose keys are all camel case.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, alias_generator=to_camel)

    @classmethod
    @cache
    def field_kinds(cls) -> Mapping[str, FieldKind]:
        """The keys, aliases included, that are not plain templates."""
        kinds: dict[str, FieldKind] = {}
        for name, info in cls.model_fields.items():
            for kind in (mark for mark in info.metadata if isinstance(mark, FieldKind)):
                choices = getattr(info.validation_alias, "choices", None) or [info.validation_alias or name]
                kinds |= {str(key): kind for key in (name, *choices)}
        return kinds


class NodeData(BaseModel):
    """Base of the shapes of outputs. A field `status_text` is the key `statusText` of an output."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, alias_generator=to_camel)


ConfigT = TypeVar("ConfigT", bound=NodeConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeInput(Generic[ConfigT]):
    """One attempt of one node."""

    config: ConfigT
    inputs: JSONObject  # the run's, for types that take them (registry); others refer to what they need
    execution_id: UUID
    workspace_id: UUID
    node_id: str
    scope: str  # path of iterations and branches, "" at the top
    attempt: int  # 1 is the first
    now: datetime  # when this attempt started

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt: `<run>:<node>:<scope>`."""
        return f"{self.execution_id}:{self.node_id}:{self.scope}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectPort:
    """Leave by this port besides the success edge; the other ports are dead."""

    port: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """Run another workflow of the workspace; what it returns becomes the node's output. For types that `delegate`."""

    workflow: str  # its id
    inputs: JSONObject
    version: int | None = None  # None: the published one


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """How many of how many have to say yes."""

    needed: int
    voters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Wait for something outside; what comes is handed to `NodeHandler.resume`. For types that `pauses`."""

    kind: PauseKind
    prompt: str | None = None  # for people
    schema: JSONObject | None = None  # JSON Schema of the answer; None: anything goes (of a timer: nothing comes)
    # For pages that draw a form: description, inputType, placeholder, defaultValue, required; each may be left out.
    form: JSONObject = field(default_factory=dict)
    wakes_at: datetime | None = None  # TIMER only, which has to have it
    expires_at: datetime | None = None  # not TIMER; None: never
    votes: Votes | None = None  # HUMAN only; None: the first answer decides
    key: str | None = None  # TOKEN: the one it attaches to, None: one of its own. EVENT: the type of event
    matches: JSONObject = field(default_factory=dict)  # EVENT: path in the payload → what has to be there
    state: JSONObject = field(default_factory=dict)  # handed back to `resume`, whatever the configuration says by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What a node has been waiting for. It goes on from this alone: its configuration is not resolved again."""

    node_id: str
    scope: str
    state: JSONObject  # of its Pause
    answer: JSONValue  # fits the schema of its Pause; of an EVENT the payload, of a TIMER null, voted: what was decided
    votes: tuple[JSONObject, ...] = ()  # in the order in which they came, when it was voted
    paused_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableWrite:
    """A change of a workflow variable, applied in the order in which nodes are folded into the run.

    A number to set or to add is within ±`handlers.values.LARGEST_SUMMAND`: one that is not fails its node.
    """

    name: str
    how: str  # "value" | "increment" | "append"
    value: JSONValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a language model counted, and what that cost."""

    model: str
    provider: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int | None = None  # of the prompt's, those read from the provider's cache; None: it did not say
    thinking_tokens: int | None = None  # of the completion's; None: it did not say
    cost_usd: float | None = None  # None: nobody here knows the model's price

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def to_json(self) -> JSONObject:
        return {
            "model": self.model,
            "provider": self.provider,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
            "cached_tokens": self.cached_tokens,
            "thinking_tokens": self.thinking_tokens,
            "cost_usd": self.cost_usd,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOutput:
    """What a node returned. Control rides beside the data, never in it: an output named `error` routes nothing."""

    data: JSONValue
    signal: SelectPort | StartChild | Pause | None = None
    writes: tuple[VariableWrite, ...] = ()
    usage: Usage | None = None  # language-model nodes only


class NodeHandler(ABC, Generic[ConfigT]):
    """One node type. Subclass, decorate with `node_type`, and the engine knows it; the docstring is its manual.

    Stateless: one instance serves all threads of a worker.
    """

    Config: ClassVar[type[NodeConfig]] = NodeConfig
    Output: ClassVar[type[NodeData] | None] = None  # what `run` returns as data, where that is always of one shape

    @abstractmethod
    def run(self, node: NodeInput[ConfigT], lent: Lent) -> NodeOutput:
        """Do the work of one attempt. Raises HandlerError; anything else counts as a bug and is not retried."""

    def resume(self, node: Resumed) -> NodeOutput:
        """The node's output, now that what it paused for is here. Runs inside the drive: pure and quick.

        Raises HandlerError. A type that never pauses has none.
        """
        raise NotImplementedError(f"{node.node_id} has nothing to go on with: its type never pauses")

    @classmethod
    def ports(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        """Names of the ports a node with this configuration (as drawn, unresolved) has beside success and error."""
        del config
        return ()

    @classmethod
    def port_for(cls, handle: str, config: Mapping[str, Any]) -> str | None:
        """The port that an edge's *handle* means, or None when there is no such handle. Aliases are told here."""
        return handle if handle in cls.ports(config) else None

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What the field types cannot say about a configuration as drawn: pairs of field and sentence."""
        del config
        return []

    @classmethod
    def implied(cls, drawn_as: str, config: Mapping[str, Any]) -> JSONObject:
        """What *drawn_as*, the type's name or an alias, and *config* say without writing it: more configuration."""
        del drawn_as, config
        return {}

    @classmethod
    def attempts(cls, config: Mapping[str, Any]) -> int | None:
        """How often *config* says the node is tried, of types that have a word for it. Its `retry` goes before."""
        del config
        return None

    @classmethod
    def writes(cls, config: Mapping[str, Any]) -> str | None:
        """The workflow variable that this node sets, if it sets one."""
        del config
        return None
