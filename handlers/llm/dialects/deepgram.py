"""Deepgram: transcription and speech. Source: Deepgram API reference, "Pre-recorded audio" and "Text to speech"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from handlers.base import JSONObject
from handlers.errors import ConfigError, HandlerError
from handlers.llm import failures
from handlers.llm.dialect import Access, Dialect
from handlers.llm.dialects.openai_media import SPEECH_TYPES
from handlers.llm.exchange import Exchange
from handlers.llm.providers import Provider, register
from handlers.llm.requests import Media, SpeakRequest, Transcribed, TranscribeRequest

_SPEECH: Final[Mapping[str, dict[str, str]]] = {
    "mp3": {"encoding": "mp3"},
    "opus": {"encoding": "opus", "container": "ogg"},
    "wav": {"encoding": "linear16", "container": "wav"},
}


class DeepgramDialect(Dialect):
    def transcribe(self, access: Access, request: TranscribeRequest) -> Transcribed:
        if request.translate:
            raise ConfigError("task: deepgram does not translate; openai does.")
        params = {
            "model": request.model,
            "punctuate": _flag(request.punctuate),
            "smart_format": _flag(request.punctuate),
            "diarize": _flag(request.diarize),
            "utterances": _flag(request.segments or request.diarize),
        }
        if request.language:
            params["language"] = request.language
        answer = _exchange(access, request.model).post(
            "/v1/listen",
            headers={"Content-Type": request.audio.content_type},
            content=request.audio.content,
            params=params,
        )
        match answer:
            case {"results": {"channels": [{"alternatives": [{"transcript": str(text), **heard}, *_]}, *_], **results}}:
                metadata = answer.get("metadata") or {}
                return Transcribed(
                    text=text,
                    language=request.language,
                    duration=metadata.get("duration"),
                    segments=_rows(results.get("utterances"), "transcript", "text")
                    if request.segments or request.diarize
                    else None,
                    words=_rows(heard.get("words"), "word", "word") if request.words else None,
                )
        raise failures.unreadable(access, request.model)

    def speak(self, access: Access, request: SpeakRequest) -> Media:
        if request.speed != 1:
            raise ConfigError("speed: deepgram speaks at 1 only.")
        content = _exchange(access, request.model).fetch(
            "/v1/speak",
            json={"text": request.text},
            # The voice is part of the model's name: aura-2-thalia-en.
            params={"model": request.voice or request.model, **_SPEECH[request.format]},
        )
        return Media(content=content, content_type=SPEECH_TYPES[request.format], name="speech")


def _flag(is_wanted: object) -> str:
    return "true" if is_wanted else "false"


def _rows(rows: Any, text: str, name: str) -> tuple[JSONObject, ...]:
    told = []
    for row in rows or ():
        entry: JSONObject = {"start": row.get("start"), "end": row.get("end"), name: row.get(text)}
        told.append(entry | ({"speaker": row["speaker"]} if "speaker" in row else {}))
    return tuple(told)


def _exchange(access: Access, model: str) -> Exchange:
    def read_error(body: Any, status: int, headers: Mapping[str, str]) -> HandlerError | None:
        match body:
            case {"err_msg": str(said)} if status:
                kinds = (body.get("err_code"),)
                return failures.refusal(access, model, status=status, said=said, kinds=kinds, headers=headers)
        return None

    headers = {"Authorization": f"Token {access.key}"}
    return Exchange(access=access, model=model, headers=headers, read_error=read_error)


register(
    Provider(
        name="deepgram",
        dialect=DeepgramDialect(),
        base_url="https://api.deepgram.com",
        key_variables=("DEEPGRAM_API_KEY",),
        url_variables=("DEEPGRAM_BASE_URL",),
    )
)
