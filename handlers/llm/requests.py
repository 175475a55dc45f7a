"""What models are asked and what they answer, in no provider's words."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from handlers.base import JSONObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """Bytes with their type: a picture or a piece of sound."""

    content: bytes
    content_type: str  # image/png, audio/mpeg, …
    name: str  # of a given file, by whose ending services tell the format of sound; of a made one without an ending

    @property
    def base64(self) -> str:
        return base64.b64encode(self.content).decode()

    @property
    def data_url(self) -> str:
        return f"data:{self.content_type};base64,{self.base64}"


Part: TypeAlias = str | Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    model: str
    system: str | None
    messages: tuple[Message, ...]
    max_tokens: int  # of the answer, without the thinking before it
    temperature: float | None  # None: the model's own, as some take no other
    top_p: float | None
    thinking_budget: int | None = None  # tokens; None: no thinking asked for
    adaptive: bool = False  # the model decides by itself how much of the budget it takes
    schema: JSONObject | None = None  # of the answer, for services that hold the model to one
    asks_to_count: bool = True  # where the service counts only then


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Tokens, as the service counted them."""

    prompt: int
    completion: int  # with those of thinking
    cached: int | None = None  # of the prompt's, those that were read from a cache
    thinking: int | None = None  # of the completion's


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One piece of a streamed answer; a piece may be empty, and shows that the service is alive."""

    text: str = ""
    thinking: str = ""
    finish_reason: str | None = None  # stop, length, content_filter or the service's own word
    model: str | None = None  # as the service calls it: gpt-4o becomes gpt-4o-2024-08-06
    counted: Counted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedRequest:
    model: str
    texts: Sequence[str]
    dimensions: int | None = None
    task: str | None = None  # in the provider's words
    truncate: str | None = None  # in the provider's words


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    vectors: list[list[float]]  # in the order of the texts
    model: str
    counted: Counted | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscribeRequest:
    model: str
    audio: Media
    translate: bool = False  # into English
    language: str | None = None  # ISO 639-1
    prompt: str | None = None
    temperature: float | None = None
    words: bool = False  # with the time of each word
    segments: bool = False  # with the time of each sentence
    punctuate: bool = True
    diarize: bool = False  # who speaks


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcribed:
    text: str
    language: str | None = None
    duration: float | None = None  # seconds
    segments: tuple[JSONObject, ...] | None = None  # {start, end, text, speaker?}, seconds
    words: tuple[JSONObject, ...] | None = None  # {start, end, word, speaker?}, seconds
    counted: Counted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakRequest:
    model: str
    text: str
    voice: str | None
    format: str  # mp3, wav or opus
    speed: float
    stability: float
    similarity_boost: float
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRequest:
    model: str
    prompt: str
    count: int
    size: str | None  # 1024x1024
    quality: str | None
    style: str | None
    background: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    images: tuple[Media, ...]
    revised_prompt: str | None = None
    counted: Counted | None = None
