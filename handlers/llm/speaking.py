"""Text as sound, handed over."""

from __future__ import annotations

from typing import Any, Final

from handlers.base import JSONObject, NodeInput
from handlers.errors import ConfigError
from handlers.llm.calling import call
from handlers.llm.fields import AccessFields
from handlers.llm.media import MediaFields, hand_over
from handlers.llm.requests import SpeakRequest
from handlers.ports import Lent

SPEAKING_MODELS: Final = {
    "openai": "gpt-4o-mini-tts",
    "elevenlabs": "eleven_multilingual_v2",
    "deepgram": "aura-2-thalia-en",
    "google": "gemini-2.5-flash-preview-tts",
}
# Characters of one request. Source: their API references; of Google, tokens, of which one is four characters or so.
LONGEST: Final = {"openai": 4_096, "elevenlabs": 10_000, "deepgram": 2_000, "google": 30_000}
LONGEST_ELSEWHERE: Final = 4_096


def speak(
    node: NodeInput[Any], lent: Lent, access: AccessFields, media: MediaFields, request: SpeakRequest
) -> JSONObject:
    """`{"audio", "format", "characters", "model", "provider"}`. Raises HandlerError."""
    longest = LONGEST.get(access.provider, LONGEST_ELSEWHERE)
    if len(request.text) > longest:
        raise ConfigError(
            f"textInput has {len(request.text):,} characters; {access.provider} speaks up to {longest:,} at a time."
        )
    made = call(lent, access, request.model, lambda dialect, place: dialect.speak(place, request))
    return {
        "audio": hand_over(node, lent, made, media),
        "format": request.format,
        "characters": len(request.text),
        "model": request.model,
        "provider": access.provider,
    }


def speaking_model(provider: str, model: str | None) -> str:
    """*model*, or what to ask of *provider* when the drawing does not say. Raises ConfigError."""
    found = model or SPEAKING_MODELS.get(provider)
    if found is None:
        raise ConfigError(f"model: name one of {provider} that speaks.")
    return found
