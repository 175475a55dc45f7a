"""Google's Gemini API, spoken natively: its endpoint in OpenAI's manner neither speaks, draws nor shows its thinking.

Source: Gemini API reference, "Generating content", "Embeddings".
"""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from handlers.base import JSONObject
from handlers.errors import ConfigError, HandlerError
from handlers.llm import failures
from handlers.llm.dialect import Access, Dialect
from handlers.llm.dialects.openai_media import picture
from handlers.llm.exchange import Exchange
from handlers.llm.providers import Provider, register
from handlers.llm.requests import (
    ChatRequest,
    Counted,
    Delta,
    Drawn,
    DrawRequest,
    Embedded,
    EmbedRequest,
    Media,
    Message,
    SpeakRequest,
    Transcribed,
    TranscribeRequest,
)

_FINISH_REASONS: Final = {"STOP": "stop", "MAX_TOKENS": "length"} | dict.fromkeys(
    ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"), "content_filter"
)
_ROLES: Final = {"user": "user", "assistant": "model"}
_DEFAULT_VOICE: Final = "Kore"
_SAMPLE_RATE: Final = re.compile(r"rate=(\d{4,6})")
_SECONDS: Final = re.compile(r"(\d+(?:\.\d+)?)s")
_FORBIDDEN: Final = 403
# Tasks of vectors, as Cohere calls them.
_TASKS: Final = {"search_document": "RETRIEVAL_DOCUMENT", "search_query": "RETRIEVAL_QUERY"}


class GoogleDialect(Dialect):
    def chat(self, access: Access, request: ChatRequest) -> Generator[Delta, None, None]:
        exchange = _exchange(access, request.model)
        path = _path(request.model, "streamGenerateContent")
        for event in exchange.events(path, json=_body(request), params={"alt": "sse"}):
            with failures.reading(access, request.model):
                delta = _delta(event)
            yield delta

    def embed(self, access: Access, request: EmbedRequest) -> Embedded:
        asked: dict[str, Any] = {"model": f"models/{request.model}"}
        if request.task:
            asked["taskType"] = _TASKS.get(request.task.lower(), request.task.upper())
        if request.dimensions:
            asked["outputDimensionality"] = request.dimensions
        rows = [asked | {"content": {"parts": [{"text": text}]}} for text in request.texts]
        answer = _ask(access, request.model, "batchEmbedContents", {"requests": rows})
        match answer:
            case {"embeddings": [*found]} if len(found) == len(rows):
                vectors = [row.get("values") for row in found]
                return Embedded(vectors=vectors, model=request.model, counted=None)
        raise failures.unreadable(access, request.model)

    def transcribe(self, access: Access, request: TranscribeRequest) -> Transcribed:
        if request.words or request.segments or request.diarize:
            raise ConfigError("provider: google tells no times and no speakers; openai or deepgram does.")
        task = "Translate what is said into English." if request.translate else "Write down what is said, word by word."
        said = [task, "Answer with that text and nothing else."]
        said += [f"The language is {request.language}."] if request.language else []
        said += [f"It may be about: {request.prompt}"] if request.prompt else []
        parts = [{"text": " ".join(said)}, _part(request.audio)]
        answer = _ask(access, request.model, "generateContent", {"contents": [{"role": "user", "parts": parts}]})
        delta = _delta(answer)
        return Transcribed(text=delta.text.strip(), language=request.language, counted=delta.counted)

    def speak(self, access: Access, request: SpeakRequest) -> Media:
        if request.format != "wav":
            raise ConfigError("outputFormat: google speaks in wav only.")
        voice = {"prebuiltVoiceConfig": {"voiceName": request.voice or _DEFAULT_VOICE}}
        config = {"responseModalities": ["AUDIO"], "speechConfig": {"voiceConfig": voice}}
        body = {"contents": [{"role": "user", "parts": [{"text": request.text}]}], "generationConfig": config}
        answer = _ask(access, request.model, "generateContent", body)
        for data in _inline(answer):
            rate = _SAMPLE_RATE.search(data.get("mimeType") or "")
            samples = picture(data.get("data"), 1).content
            return Media(
                content=_wav(samples, int(rate[1]) if rate else 24_000), content_type="audio/wav", name="speech"
            )
        raise failures.unreadable(access, request.model, "the answer has no sound in it.")

    def draw(self, access: Access, request: DrawRequest) -> Drawn:
        """One request a picture: the service makes one at a time."""
        config = {"responseModalities": ["TEXT", "IMAGE"]}
        body = {"contents": [{"role": "user", "parts": [{"text": request.prompt}]}], "generationConfig": config}
        images: list[Media] = []
        spent = Counted(prompt=0, completion=0)
        for _ in range(request.count):
            answer = _ask(access, request.model, "generateContent", body)
            found = [picture(data.get("data"), len(images) + 1) for data in _inline(answer)]
            if not found:
                raise failures.unreadable(access, request.model, f"no picture came, but: {_delta(answer).text[:200]}")
            images += found
            more = _delta(answer).counted or Counted(prompt=0, completion=0)
            spent = Counted(prompt=spent.prompt + more.prompt, completion=spent.completion + more.completion)
        return Drawn(images=tuple(images), counted=spent)


def _ask(access: Access, model: str, method: str, body: Any) -> Any:
    return _exchange(access, model).post(_path(model, method), json=body)


def _path(model: str, method: str) -> str:
    return f"/models/{quote(model, safe='')}:{method}"


def _exchange(access: Access, model: str) -> Exchange:
    def read_error(body: Any, status: int, headers: Mapping[str, str]) -> HandlerError | None:
        told = body[0] if isinstance(body, list) and body else body
        match told:
            case {"error": {"message": str(said)}}:
                kinds = (told["error"].get("status"),)
                details = told["error"].get("details") or []
                if not status:
                    return failures.failure_in_stream(access, model, said=said, kinds=kinds)
                # A key that is none is a 400 here.
                if any(isinstance(row, dict) and row.get("reason") == "API_KEY_INVALID" for row in details):
                    status = _FORBIDDEN
                return failures.refusal(
                    access, model, status=status, said=said, kinds=kinds, headers=headers, wait=_wait(details)
                )
        return None

    headers = {"x-goog-api-key": access.key}
    return Exchange(access=access, model=model, headers=headers, read_error=read_error)


def _wait(details: Any) -> float | None:
    """Seconds, of the row that says when to come again."""
    delays = (str(row.get("retryDelay", "")) for row in details if isinstance(row, dict))
    return next((float(match[1]) for delay in delays if (match := _SECONDS.fullmatch(delay))), None)


def _body(request: ChatRequest) -> dict[str, Any]:
    # Which counts both.
    config: dict[str, Any] = {"maxOutputTokens": request.max_tokens + (request.thinking_budget or 0)}
    if request.temperature is not None:
        config["temperature"] = request.temperature
    if request.top_p is not None:
        config["topP"] = request.top_p
    if request.thinking_budget:
        config["thinkingConfig"] = {"includeThoughts": True} | (
            {} if request.adaptive else {"thinkingBudget": request.thinking_budget}
        )
    if request.schema is not None:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": request.schema}
    body: dict[str, Any] = {"contents": [_content(message) for message in request.messages], "generationConfig": config}
    if request.system:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    return body


def _content(message: Message) -> JSONObject:
    return {"role": _ROLES[message.role], "parts": [_part(part) for part in message.parts]}


def _part(part: str | Media) -> JSONObject:
    if isinstance(part, str):
        return {"text": part}
    return {"inlineData": {"mimeType": part.content_type, "data": part.base64}}


def _parts(answer: Any) -> list[dict[str, Any]]:
    match answer:
        case {"candidates": [{"content": {"parts": [*parts]}}, *_]}:
            return [part for part in parts if isinstance(part, dict)]
    return []


def _inline(answer: Any) -> Iterator[dict[str, Any]]:
    return (part["inlineData"] for part in _parts(answer) if isinstance(part.get("inlineData"), dict))


def _delta(answer: Any) -> Delta:
    said: dict[bool, str] = {False: "", True: ""}
    for part in _parts(answer):
        said[bool(part.get("thought"))] += part.get("text") or ""
    reason = None
    match answer:
        case {"candidates": [{"finishReason": str(told)}, *_]}:
            reason = _FINISH_REASONS.get(told, told.lower())
        case {"promptFeedback": {"blockReason": str()}}:
            reason = "content_filter"
    told_model = answer.get("modelVersion") if isinstance(answer, dict) else None
    usage = (answer.get("usageMetadata") if isinstance(answer, dict) else None) or {}
    counted = None
    if "promptTokenCount" in usage:
        thinking = usage.get("thoughtsTokenCount") or 0
        counted = Counted(
            prompt=usage["promptTokenCount"],
            completion=(usage.get("candidatesTokenCount") or 0) + thinking,
            cached=usage.get("cachedContentTokenCount"),
            thinking=thinking or None,
        )
    return Delta(text=said[False], thinking=said[True], finish_reason=reason, model=told_model, counted=counted)


def _wav(samples: bytes, rate: int) -> bytes:
    """Source: Gemini API, "Speech generation": 16 bit, one channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples)
    return file.getvalue()


register(
    Provider(
        name="google",
        dialect=GoogleDialect(),
        base_url="https://generativelanguage.googleapis.com/v1beta",
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        url_variables=("GEMINI_BASE_URL", "GOOGLE_BASE_URL"),
    )
)
