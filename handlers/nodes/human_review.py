"""A question to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from handlers.answers import check_answer
from handlers.base import (
    Effect,
    FieldKind,
    JSONObject,
    JSONValue,
    NodeInput,
    NodeOutput,
    Pause,
    PauseKind,
    Resumed,
    Votes,
)
from handlers.pauses import AnswerSchema, Expiring, ExpiringConfig
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.schemas import find_pattern_fault
from handlers.values import Text

PROMPT_KEYS: Final = ("prompt", "reviewPrompt")
VOTES_KEY: Final = "votes"
MOST_VOTERS: Final = 1_000
_TYPES: Final = {"text": "string", "number": "number", "boolean": "boolean"}  # of JSON Schema; `json` is all of them


def _check_pattern(pattern: str) -> str:
    if (fault := find_pattern_fault(pattern)) is not None:
        raise ValueError(fault)
    return pattern


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, alias_generator=to_camel)


class Validation(_Group):
    pattern: Annotated[str, AfterValidator(_check_pattern)] | None = Field(
        None, description="A regular expression (RE2) that is found in the text."
    )
    min: int | float | None = Field(None, allow_inf_nan=False, description="The least number.")
    max: int | float | None = Field(None, allow_inf_nan=False, description="The greatest number.")
    min_length: int | None = Field(None, ge=0, description="Characters that the text has at least.")
    max_length: int | None = Field(None, ge=0, description="Characters that it has at most.")
    json_schema: AnswerSchema = Field(None, description="A JSON Schema (draft 2020-12) of the answer.")

    @model_validator(mode="after")
    def _can_be_met(self) -> Validation:
        for least, most in (("min", "max"), ("min_length", "max_length")):
            low, high = getattr(self, least), getattr(self, most)
            if low is not None and high is not None and low > high:
                raise ValueError(f"Nothing fits: {to_camel(least)} is more than {to_camel(most)}.")
        return self


class VotesConfig(_Group):
    needed: int = Field(ge=1, description="How many have to say yes.")
    voters: int = Field(ge=1, le=MOST_VOTERS, description="How many may vote.")

    @model_validator(mode="after")
    def _can_be_reached(self) -> VotesConfig:
        if self.needed > self.voters:
            raise ValueError("More votes are needed than there are voters.")
        return self


class HumanReviewConfig(ExpiringConfig):
    prompt: Text = Field(validation_alias=AliasChoices(*PROMPT_KEYS), description="What is asked.")
    description: Text | None = Field(None, description="What helps to answer, shown below.")
    # Raw: references to the answer are drawn with it.
    variable_name: Annotated[str | None, FieldKind.RAW] = Field(
        None, max_length=128, description="The name of the answer in the output; left out, the answer is the output."
    )
    input_type: Literal["text", "number", "boolean", "json"] | None = Field(
        None, description="What the answer has to be; anything, when it is left out."
    )
    placeholder: Text | None = Field(None, description="What stands in the empty field.")
    required: bool = Field(True, description="Without it, the answer may be null, and is `defaultValue` then.")
    validation: Validation | None = Field(None, description="What else is asked of the answer.")
    votes: VotesConfig | None = Field(
        None, description="Several decide by yes or no: as many as `needed`, of `voters`; `boolean` only."
    )
    default_value: Any = Field(None, description="What the field holds at first.")  # behind all that it has to fit

    @field_validator("variable_name")
    @classmethod
    def _is_fixed(cls, name: str | None) -> str | None:
        if name is not None and (not name.strip() or "{{" in name):
            raise ValueError("A name is fixed, and not blank.")
        return name

    @field_validator("votes")
    @classmethod
    def _is_a_yes_or_no(cls, votes: VotesConfig | None, info: ValidationInfo) -> VotesConfig | None:
        told = info.data
        if votes is None or "input_type" not in told or "variable_name" not in told:
            return votes
        if told["input_type"] != "boolean":
            raise ValueError("Votes are on yes or no: inputType has to be boolean.")
        if told["variable_name"] in (None, VOTES_KEY):
            raise ValueError(f"Beside the votes, the answer needs a variableName; {VOTES_KEY} is taken.")
        return votes

    @field_validator("default_value")
    @classmethod
    def _fits(cls, value: JSONValue, info: ValidationInfo) -> JSONValue:
        told = info.data
        if told.keys() >= {"input_type", "required", "validation"}:
            schema = _schema(told["input_type"], told["validation"], required=told["required"])
            if wrong := check_answer(schema, value):
                raise ValueError(f"It is no answer itself: {wrong[0]}")
        return value


@node_type("humanReview", category="logic", title="Human review", effect=Effect.PURE, pauses=True, retries=False)
class HumanReview(Expiring[HumanReviewConfig]):
    """Ask people and wait for the answer. Nothing is held meanwhile, however long it takes.

    The answer is JSON, and refused unless it fits:

    - `inputType`: `text`, `number`, `boolean` or `json`. Left out, it may be anything.
    - `validation`: `pattern`, `minLength` and `maxLength` of a text, `min` and `max` of a number, a `jsonSchema`.
    - `required: false`: it may be null as well, and is `defaultValue` then.

    After `expiresInMs` without an answer the node leaves by its handle `timeout` with `{"expired": true}`; where no
    edge is drawn from it, it fails. With `votes: {"needed", "voters"}` each of so many people answers yes or no: it is
    true once so many said yes, false once that cannot be any more.

    Output: `{"<variableName>": <the answer>}`, and `"votes"` beside it where it was voted; the answer itself where
    there is no `variableName`.
    """

    Config = HumanReviewConfig

    def run(self, node: NodeInput[HumanReviewConfig], lent: Lent) -> NodeOutput:
        del lent
        config, votes = node.config, node.config.votes
        required = config.required or votes is not None  # a vote is yes or no
        return NodeOutput(
            data=None,
            signal=Pause(
                kind=PauseKind.HUMAN,
                prompt=config.prompt,
                schema=_schema(config.input_type, config.validation, required=required),
                form=_told(
                    description=config.description,
                    inputType=config.input_type,
                    placeholder=config.placeholder,
                    defaultValue=config.default_value,
                    required=required,
                ),
                expires_at=config.expires_at(node.now),
                votes=None if votes is None else Votes(needed=votes.needed, voters=votes.voters),
                state=_told(variableName=config.variable_name, otherwise=None if required else config.default_value),
            ),
        )

    def resume(self, node: Resumed) -> NodeOutput:
        answer = node.state.get("otherwise") if node.answer is None else node.answer
        name = node.state.get("variableName")
        if not isinstance(name, str):
            return NodeOutput(data=answer)
        return NodeOutput(data={name: answer, **({VOTES_KEY: [*node.votes]} if node.votes else {})})

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        key = next((key for key in PROMPT_KEYS if config.get(key) is not None), None)
        is_blank = key is not None and isinstance(config[key], str) and not config[key].strip()
        return [(str(key), "Say what is asked.")] if is_blank else []


def _schema(input_type: str | None, validation: Validation | None, *, required: bool) -> JSONObject | None:
    """The one JSON Schema of all that an answer has to be; None when it may be anything."""
    more = validation or Validation.model_validate({})
    kind = _TYPES.get(input_type or "")
    own = _told(
        type=kind if required or kind is None else [kind, "null"],
        pattern=more.pattern,
        minLength=more.min_length,
        maxLength=more.max_length,
        minimum=more.min,
        maximum=more.max,
    )
    if more.json_schema is None:
        return own or None
    # Its references count from its own root, so what is added goes into it, and null beside it as a schema of its own.
    given = {key: value for key, value in more.json_schema.items() if key != "$schema"}
    schema = given | ({"allOf": [*given.get("allOf", []), own]} if own else {})
    return schema if required else {"anyOf": [{"type": "null"}, {"$id": "urn:flowmaestro:answer", **schema}]}


def _told(**fields: JSONValue) -> JSONObject:
    """Without what was not said."""
    return {name: value for name, value in fields.items() if value is not None}
