"""A dialect: how a provider wants to be spoken to. One class per protocol, in a module of its own in `dialects`."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Final, NoReturn
from urllib.parse import urlsplit

from handlers.base import JSONObject
from handlers.errors import ConfigError
from handlers.llm.requests import (
    ChatRequest,
    Delta,
    Drawn,
    DrawRequest,
    Embedded,
    EmbedRequest,
    Media,
    SpeakRequest,
    Transcribed,
    TranscribeRequest,
)

_SHORTEST_SECRET: Final = 8  # characters; no provider gives out a shorter key


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Where a provider is, and the key it is asked with."""

    provider: str
    base_url: str  # without a slash at its end
    key: str
    source: str  # of the key, for messages: "in OPENAI_API_KEY", "of the connection 'Ours'"
    is_usual: bool  # the provider's own address

    @property
    def place(self) -> str:
        """What limits are kept by: the provider, and the host where that is not the usual one."""
        if self.is_usual:
            return self.provider
        address = urlsplit(self.base_url)
        return f"{self.provider}:{address.hostname}" + (f":{address.port}" if address.port else "")

    @property
    def secret(self) -> str | None:
        """The key, where it is long enough to be one: to hide a word of three letters would tear up texts."""
        return self.key if len(self.key) >= _SHORTEST_SECRET else None

    def hide(self, text: str) -> str:
        """*text* without the key, which some services repeat."""
        return text.replace(self.secret, "•••") if self.secret else text

    def __repr__(self) -> str:  # the generated one would tell the key
        return f"Access(provider={self.provider!r}, base_url={self.base_url!r})"


class Dialect:
    """Speaks one protocol. What it does not override, its providers do not offer.

    Every method runs within a `network.call` and raises HandlerError: NodeTimeout for a wait that was cut off,
    ProviderError and ConfigError (`credentials_refused`) as `handlers.llm.failures` makes them.
    """

    def chat(self, access: Access, request: ChatRequest) -> Generator[Delta, None, None]:
        """Stream an answer. The last pieces carry the finish reason and what was counted."""
        _refuse(access, request, "chat")

    def takes_schema(self, schema: JSONObject) -> bool:
        """Whether its providers hold a model to *schema*; otherwise the model is only told of it."""
        del schema
        return True

    def embed(self, access: Access, request: EmbedRequest) -> Embedded:
        _refuse(access, request, "embeddings")

    def transcribe(self, access: Access, request: TranscribeRequest) -> Transcribed:
        _refuse(access, request, "transcription")

    def speak(self, access: Access, request: SpeakRequest) -> Media:
        _refuse(access, request, "speech")

    def draw(self, access: Access, request: DrawRequest) -> Drawn:
        _refuse(access, request, "image generation")


def _refuse(access: Access, request: object, what: str) -> NoReturn:
    del request
    raise ConfigError(f"provider: {access.provider} has no {what} here.", code="not_offered")
