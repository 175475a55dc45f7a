"""What an operation is told: typed parameters, and where in a request each of them goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, TypeAlias

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from handlers.base import JSONObject, JSONValue
from handlers.integrations.answers import Answer
from handlers.ports import Lent
from handlers.values import read_container

MAX_ITEMS = 1_000  # of one list, over all its pages


class Place(Enum):
    """Where in a request a parameter goes."""

    QUERY = "query"
    HEADER = "header"
    BODY = "body"
    NOWHERE = "nowhere"  # the operation makes something of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How a parameter is sent: mark a field by `Annotated[str, Sent(name="thread_ts")]`."""

    place: Place | None = None  # None: by its name in the path, else as the method has it
    name: str | None = None  # as the service calls it; None: as the provider spells names


Unsent = Sent(place=Place.NOWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What carrying out an operation once goes with."""

    lent: Lent
    idempotency_key: str  # the same in every attempt
    pick: Callable[[JSONValue], JSONValue]  # what of an answer is handed on


class Parameters(BaseModel):
    """Base of the parameters of operations, and of what is made of them. The docstring is the operation's manual.

    Null and empty text count as not said: a reference to a node that was skipped, and an empty field of a form.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, drawn: Any) -> Any:
        if not isinstance(drawn, dict):
            return drawn
        return {name: value for name, value in drawn.items() if value is not None and value != ""}

    def make_query(self, drawn: JSONObject) -> JSONObject:
        """The query, of the parameters that go there as *drawn*."""
        return drawn

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        """The body, of the parameters that go there as *drawn*. An empty object is no body."""
        del errand
        return drawn

    def make_content(self, errand: Errand) -> tuple[bytes, str] | None:
        """Bytes and their type to send in place of the body; None: the body as the provider encodes it."""
        del errand
        return None

    def make_result(self, answer: Answer, errand: Errand) -> JSONValue:
        """What is handed on of an answer that is no list of pages."""
        return errand.pick(answer.data)


class Listing(Parameters):
    """Base of the parameters of operations that answer in pages."""

    limit: Annotated[int, Unsent] = Field(
        100,
        ge=1,
        le=MAX_ITEMS,
        validation_alias=AliasChoices("limit", "maxResults", "maxRecords", "pageSize", "perPage"),
        description="The most items, over all pages.",
    )
    cursor: Annotated[str | None, Unsent] = Field(None, description="The `nextCursor` of an earlier list, to go on.")


def _read(value: Any) -> Any:
    return read_container(value) if isinstance(value, str) else value


def _parted(value: Any) -> Any:
    value = _read(value)
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


# Text that is the JSON of an object or a list is one: what a language model wrote, or a template.
Mapped: TypeAlias = Annotated[dict[str, Any], BeforeValidator(_read)]
Listed: TypeAlias = Annotated[list[Any], BeforeValidator(_read)]
# A list of names, also as text with commas.
Several: TypeAlias = Annotated[list[str], BeforeValidator(_parted)]
