"""The fields of a configuration that say which model is asked, where, with whose key, and how long is waited for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator, Field

from handlers.base import NodeConfig
from handlers.errors import ConfigError
from handlers.llm.providers import provider_named
from handlers.values import Text

FIRST_TOKEN_SECONDS = 120.0  # models that think before they speak take a minute and more
IDLE_SECONDS = 60.0


# An editor's empty line is a field that was left out.
BLANK: Final = BeforeValidator(lambda value: None if value == "" else value)
Name: TypeAlias = Annotated[str | None, BLANK]


class ModelEntry(NodeConfig):
    """One of several models."""

    provider: str | None = Field(None, description="The node's, if it is left out.")
    model: str = Field(min_length=1)
    connection_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A model to ask, and how to get at it."""

    provider: str
    model: str
    connection_id: str | None
    api_key: str | None
    base_url: str | None

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"

    def __repr__(self) -> str:  # the generated one would tell the key
        return f"Choice({self})"


class AccessFields(NodeConfig):
    """For one model; `ModelFields` has several."""

    provider: str = Field("openai", min_length=1, description="Who is asked; `/node-types` says who there is.")
    connection_id: Name = Field(None, description="The credential to ask with: api_key, and base_url if any.")
    api_key: Annotated[Text | None, BLANK] = Field(
        None, description="Instead of a connection, such as {{env.OPENAI_KEY}}."
    )
    base_url: Name = Field(None, description="Another address than the provider's; needs a key of its own.")
    max_at_once: int | None = Field(None, gt=0, description="Calls of this provider at a time, of all workers.")
    max_per_minute: int | None = Field(None, gt=0, description="Calls of this provider in a minute, of all workers.")

    def choice(self, model: str) -> Choice:
        """*model* of the node's own provider."""
        return Choice(
            provider=self.provider,
            model=model,
            connection_id=self.connection_id,
            api_key=self.api_key,
            base_url=self.base_url,
        )


class ModelFields(AccessFields):
    """For a model that streams, and others to ask when it fails."""

    model: Name = Field(None, description="The provider's name of the model.")
    models: tuple[str | ModelEntry, ...] = Field(
        (),
        max_length=10,
        description="To ask one after the other when the one before fails: model, provider/model, or objects.",
    )
    first_token_timeout: float = Field(
        FIRST_TOKEN_SECONDS, gt=0, le=3600, description="Seconds until the answer begins."
    )
    idle_timeout: float = Field(IDLE_SECONDS, gt=0, le=3600, description="Seconds without any news, once it has begun.")

    def choices(self) -> list[Choice]:
        """The models to ask, in order. Raises ConfigError when there is none, or a provider nobody knows."""
        entries = [self.model, *self.models] if self.model else list(self.models)
        chosen = list(dict.fromkeys(self._choice(entry) for entry in entries))
        if not chosen:
            raise ConfigError("model: name one.")
        for choice in chosen:
            provider_named(choice.provider)
        return chosen

    def _choice(self, entry: str | ModelEntry) -> Choice:
        if isinstance(entry, str):
            entry = self._read(entry) if entry != self.model else ModelEntry(provider=None, model=entry)
        is_ours = entry.provider in {None, self.provider}
        return Choice(
            provider=entry.provider or self.provider,
            model=entry.model,
            connection_id=entry.connection_id or (self.connection_id if is_ours else None),
            # A key is told to the provider that it is for.
            api_key=self.api_key if is_ours and not entry.connection_id else None,
            base_url=self.base_url if is_ours and not entry.connection_id else None,
        )

    def _read(self, entry: str) -> ModelEntry:
        """`provider/model`, unless models of the node's provider have such names themselves."""
        head, slash, tail = entry.partition("/")
        if not slash or not tail or (provider_named(self.provider).slashes and head != self.provider):
            return ModelEntry(provider=None, model=entry)
        return ModelEntry(provider=head, model=tail)


def check_model(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a configuration as drawn that `ModelFields` alone does not say."""
    if not config.get("model") and not config.get("models"):
        yield "model", "Name a model."
