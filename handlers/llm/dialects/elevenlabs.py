"""ElevenLabs: speech. Source: ElevenLabs API reference, "Create speech"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from handlers.errors import ConfigError, HandlerError
from handlers.llm import failures
from handlers.llm.dialect import Access, Dialect
from handlers.llm.dialects.openai_media import SPEECH_TYPES
from handlers.llm.exchange import Exchange
from handlers.llm.providers import Provider, register
from handlers.llm.requests import Media, SpeakRequest

_FORMATS: Final = {"mp3": "mp3_44100_128", "opus": "opus_48000_128", "wav": "wav_44100"}
_SLOWEST, _FASTEST = 0.7, 1.2


class ElevenLabsDialect(Dialect):
    def speak(self, access: Access, request: SpeakRequest) -> Media:
        def read_error(body: Any, status: int, headers: Mapping[str, str]) -> HandlerError | None:
            match body:
                case {"detail": {"message": str(said), **detail}} if status:
                    kind = "insufficient_quota" if detail.get("status") == "quota_exceeded" else None
                    return failures.refusal(
                        access, request.model, status=_status(status, kind), said=said, kinds=(kind,), headers=headers
                    )
            return None

        if not request.voice:
            raise ConfigError("voice: elevenlabs needs the id of a voice.")
        if not _SLOWEST <= request.speed <= _FASTEST:
            raise ConfigError(f"speed: elevenlabs speaks at {_SLOWEST:g} to {_FASTEST:g}.")
        settings = {
            "stability": request.stability,
            "similarity_boost": request.similarity_boost,
            "speed": request.speed,
        }
        exchange = Exchange(
            access=access, model=request.model, headers={"xi-api-key": access.key}, read_error=read_error
        )
        content = exchange.fetch(
            f"/v1/text-to-speech/{quote(request.voice, safe='')}",
            json={"text": request.text, "model_id": request.model, "voice_settings": settings},
            params={"output_format": _FORMATS[request.format]},
        )
        return Media(content=content, content_type=SPEECH_TYPES[request.format], name="speech")


def _status(status: int, kind: str | None) -> int:
    """An account that is used up is a 401 here, as a wrong key is."""
    return 402 if kind else status


register(
    Provider(
        name="elevenlabs",
        dialect=ElevenLabsDialect(),
        base_url="https://api.elevenlabs.io",
        key_variables=("ELEVENLABS_API_KEY",),
        url_variables=("ELEVENLABS_BASE_URL",),
    )
)
