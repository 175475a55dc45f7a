"""Sound as text: in the words of the service, and as subtitles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias

from handlers.base import JSONObject, Usage
from handlers.errors import ConfigError, ProviderError
from handlers.llm.calling import call
from handlers.llm.chat import Meter
from handlers.llm.fields import AccessFields
from handlers.llm.requests import Transcribed, TranscribeRequest
from handlers.ports import Lent

TranscriptFormat: TypeAlias = Literal["text", "json", "srt", "vtt"]
HEARING_MODELS: Final = {
    "openai": "whisper-1",
    "deepgram": "nova-3",
    "google": "gemini-2.5-flash",
    "groq": "whisper-large-v3-turbo",
}


def hearing_model(provider: str, model: str | None) -> str:
    """*model*, or what to ask of *provider* when the drawing does not say. Raises ConfigError."""
    found = model or HEARING_MODELS.get(provider)
    if found is None:
        raise ConfigError(f"model: name one of {provider} that hears.")
    return found


def transcribe(lent: Lent, access: AccessFields, request: TranscribeRequest) -> tuple[JSONObject, Usage | None]:
    """`{"text", "language", "duration", "segments", "words", "model", "provider"}`, and what it took.

    Seconds; null is what the service did not tell. Raises HandlerError.
    """
    heard = call(lent, access, request.model, lambda dialect, place: dialect.transcribe(place, request))
    meter = Meter()
    meter.add(heard.counted, provider=access.provider, model=request.model)
    return _told(heard, access, request), meter.usage(provider=access.provider, model=request.model)


def subtitles(segments: Sequence[Any] | None, kind: Literal["srt", "vtt"], *, model: str) -> str:
    """*segments* as subtitles. Source: W3C, "WebVTT"; of SubRip there is no standard, but every player's habit."""
    if not segments:
        raise ProviderError(f"{model} told no times, without which there are no subtitles.", code="no_timestamps")
    mark = "," if kind == "srt" else "."
    cues = []
    for number, segment in enumerate(segments, start=1):
        times = f"{_clock(segment['start'], mark)} --> {_clock(segment['end'], mark)}"
        # An empty line would end the cue, and an arrow begin another.
        text = " ".join(str(segment["text"]).split()).replace("-->", "->")
        cues.append("\n".join([*([str(number)] if kind == "srt" else []), times, text]))
    return "\n\n".join([*(["WEBVTT"] if kind == "vtt" else []), *cues]) + "\n"


def _told(heard: Transcribed, access: AccessFields, request: TranscribeRequest) -> JSONObject:
    return {
        "text": heard.text,
        "language": heard.language,
        "duration": heard.duration,
        "segments": None if heard.segments is None else list(heard.segments),
        "words": None if heard.words is None else list(heard.words),
        "model": request.model,
        "provider": access.provider,
    }


def _clock(seconds: Any, mark: str) -> str:
    milliseconds = round(float(seconds or 0) * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
