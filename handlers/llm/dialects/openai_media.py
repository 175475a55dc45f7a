"""Sound and pictures, as OpenAI's client library takes and gives them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import openai
from openai.types import ImagesResponse
from openai.types.audio import TranslationVerbose

from handlers import network
from handlers.base import JSONObject
from handlers.errors import ProviderError
from handlers.llm.requests import Counted, Drawn, DrawRequest, Media, SpeakRequest, Transcribed, TranscribeRequest

MAX_SPEECH_BYTES: Final = 64 * 1024 * 1024
MAX_IMAGE_BYTES: Final = 32 * 1024 * 1024
SPEECH_TYPES: Final[Mapping[str, str]] = {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg"}
_DEFAULT_VOICE: Final = "alloy"
_IMAGE_TYPES: Final = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp"))


def transcribe(client: openai.OpenAI, request: TranscribeRequest) -> Transcribed:
    """What is said; with times only if they are asked for, as only some models know them."""
    timed = request.words or request.segments
    audio = request.audio
    file = (audio.name, audio.content, audio.content_type)
    form: dict[str, Any] = {"model": request.model, "response_format": "verbose_json" if timed else "json"}
    if request.prompt:
        form["prompt"] = request.prompt
    if request.temperature is not None:
        form["temperature"] = request.temperature
    if request.translate:
        # The library's own method warns of its end, and no other translates.
        answer = client.post(
            "/audio/translations",
            cast_to=TranslationVerbose,
            body=form,
            files=[("file", file)],
            options={"headers": {"Content-Type": "multipart/form-data"}},
        )
        return _transcribed(answer)
    if timed:
        names = {"word": request.words, "segment": request.segments}
        form["timestamp_granularities"] = [name for name, is_wanted in names.items() if is_wanted]
    if request.language:
        form["language"] = request.language
    return _transcribed(client.audio.transcriptions.create(file=file, **form))


def speak(client: openai.OpenAI, request: SpeakRequest) -> Media:
    with client.audio.speech.with_streaming_response.create(
        model=request.model,
        voice=request.voice or _DEFAULT_VOICE,
        input=request.text,
        response_format=request.format,  # type: ignore[arg-type]  # mp3, wav or opus
        speed=request.speed,
    ) as response:
        content = network.read(response.http_response, max_bytes=MAX_SPEECH_BYTES)
    return Media(content=content, content_type=SPEECH_TYPES[request.format], name="speech")


def draw(client: openai.OpenAI, request: DrawRequest) -> Drawn:
    """Pictures as bytes: an address of the service's would be gone within the hour."""
    # OpenAI's own answer with pictures and refuse to be told so; others would answer with addresses.
    is_told = "gpt-image" not in request.model
    looks: dict[str, Any] = {
        "size": request.size,
        "quality": request.quality,
        "style": request.style,
        "background": request.background,
        "response_format": "b64_json" if is_told else None,
    }
    given = {name: value for name, value in looks.items() if value}
    answer: ImagesResponse = client.images.generate(
        model=request.model, prompt=request.prompt, n=request.count, stream=False, **given
    )
    images = tuple(picture(row.b64_json, number) for number, row in enumerate(answer.data or (), start=1))
    revised = next((row.revised_prompt for row in answer.data or () if row.revised_prompt), None)
    usage = answer.usage
    counted = None if usage is None else Counted(prompt=usage.input_tokens, completion=usage.output_tokens)
    return Drawn(images=images, revised_prompt=revised, counted=counted)


def picture(encoded: str | None, number: int) -> Media:
    """A picture that came as base64. Raises ProviderError for one that did not."""
    try:
        content = base64.b64decode(encoded or "", validate=True)
    except binascii.Error as error:
        raise ProviderError("The picture cannot be read.", code="invalid_response") from error
    if not content:
        raise ProviderError("The service answered without the picture itself.", code="invalid_response")
    content_type = next((kind for start, kind in _IMAGE_TYPES if content.startswith(start)), "image/png")
    return Media(content=content, content_type=content_type, name=f"image-{number}")


def _transcribed(answer: Any) -> Transcribed:
    said: dict[str, Any] = answer.model_dump()
    usage = said.get("usage") or {}
    counted = None
    if usage.get("type") == "tokens":
        counted = Counted(prompt=usage["input_tokens"], completion=usage["output_tokens"])
    return Transcribed(
        text=said.get("text") or "",
        language=said.get("language"),
        duration=said.get("duration"),
        segments=_rows(said.get("segments"), "start", "end", "text"),
        words=_rows(said.get("words"), "start", "end", "word"),
        counted=counted,
    )


def _rows(rows: Any, *names: str) -> tuple[JSONObject, ...] | None:
    return None if rows is None else tuple({name: row.get(name) for name in names} for row in rows)
