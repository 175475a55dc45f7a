"""OpenAI's protocol, which most services speak: chat completions, embeddings, sound and pictures.

Source: OpenAI API reference; of the others, what their manuals say of being compatible with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

import openai

from handlers import network
from handlers.base import JSONObject
from handlers.errors import HandlerError, NodeTimeout, ProviderError, Unreachable
from handlers.llm import failures
from handlers.llm.dialect import Access, Dialect
from handlers.llm.dialects import openai_media
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

OPENAI_URL: Final = "https://api.openai.com/v1"
# Of the budget of thinking, in tokens, what the service calls it: it knows three words.
_EFFORTS: Final = ((4_096, "low"), (16_384, "medium"))
_SOUND_FORMATS: Final = {"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/wav": "wav", "audio/x-wav": "wav"}


class OpenAIDialect(Dialect):
    """By OpenAI's own client library, on the connections of all nodes."""

    def __init__(self, *, counts_unasked: bool = False) -> None:
        self._counts_unasked = counts_unasked  # and refuses to be asked

    def chat(self, access: Access, request: ChatRequest) -> Generator[Delta, None, None]:
        client = _client(access.base_url, access.key)
        with (
            _explained(access, request.model),
            # As plain JSON: the library's own classes take two thirds of what a token costs.
            client.post(
                "/chat/completions",
                cast_to=object,
                body=_chat_body(access, request, asks_to_count=request.asks_to_count and not self._counts_unasked),
                stream=True,
                stream_cls=openai.Stream[object],
            ) as stream,
        ):
            if "json" in stream.response.headers.get("content-type", ""):
                yield from _whole(access, request.model, stream.response.read())
                return
            for chunk in stream:
                with failures.reading(access, request.model):
                    delta = _delta(chunk)
                yield delta

    def embed(self, access: Access, request: EmbedRequest) -> Embedded:
        with _explained(access, request.model):
            answer = _client(access.base_url, access.key).embeddings.create(
                model=request.model,
                input=list(request.texts),
                dimensions=request.dimensions or openai.omit,
                encoding_format="float",
            )
        rows = sorted(answer.data or [], key=lambda row: row.index)
        if len(rows) != len(request.texts):
            raise failures.unreadable(access, request.model, f"{len(rows)} vectors for {len(request.texts)} texts.")
        counted = None if answer.usage is None else Counted(prompt=answer.usage.prompt_tokens, completion=0)
        return Embedded(vectors=[row.embedding for row in rows], model=answer.model or request.model, counted=counted)

    def transcribe(self, access: Access, request: TranscribeRequest) -> Transcribed:
        with _explained(access, request.model):
            return openai_media.transcribe(_client(access.base_url, access.key), request)

    def speak(self, access: Access, request: SpeakRequest) -> Media:
        with _explained(access, request.model):
            return openai_media.speak(_client(access.base_url, access.key), request)

    def draw(self, access: Access, request: DrawRequest) -> Drawn:
        with _explained(access, request.model):
            return openai_media.draw(_client(access.base_url, access.key), request)


def _chat_body(access: Access, request: ChatRequest, *, asks_to_count: bool) -> dict[str, Any]:
    messages: list[JSONObject] = [{"role": "system", "content": request.system}] if request.system else []
    messages += [{"role": message.role, "content": _content(message)} for message in request.messages]
    body: dict[str, Any] = {
        "model": request.model,
        "messages": messages,
        "stream": True,
        # OpenAI's newer models refuse max_tokens. Other services know nothing else, or ignore what they do not know.
        "max_completion_tokens" if _is_openai(access) else "max_tokens": request.max_tokens
        + (request.thinking_budget or 0),
    }
    if asks_to_count:
        body["stream_options"] = {"include_usage": True}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.thinking_budget:
        most = request.thinking_budget
        body["reasoning_effort"] = next((word for bound, word in _EFFORTS if most <= bound), "high")
    if request.schema is not None:
        # Not strict: that takes a part of JSON Schema only, and what comes is checked here.
        described = {"name": "answer", "schema": request.schema, "strict": False}
        body["response_format"] = {"type": "json_schema", "json_schema": described}
    return body


def _is_openai(access: Access) -> bool:
    return access.base_url.startswith(OPENAI_URL) or access.provider == "azure"


def _content(message: Message) -> str | list[Any]:
    if all(isinstance(part, str) for part in message.parts):
        return "\n".join(str(part) for part in message.parts)
    return [_part(part) for part in message.parts]


def _part(part: str | Media) -> JSONObject:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if part.content_type in _SOUND_FORMATS:
        return {
            "type": "input_audio",
            "input_audio": {"data": part.base64, "format": _SOUND_FORMATS[part.content_type]},
        }
    return {"type": "image_url", "image_url": {"url": part.data_url}}


def _delta(chunk: Any) -> Delta:
    choice = next(iter(chunk.get("choices") or ()), None) or {}
    delta = choice.get("delta") or {}
    thinking = delta.get("reasoning_content") or delta.get("reasoning")  # DeepSeek, xAI, vLLM; OpenRouter, Groq
    return Delta(
        text=_text(delta.get("content")),
        thinking=thinking if isinstance(thinking, str) else "",
        finish_reason=choice.get("finish_reason"),
        model=chunk.get("model"),
        counted=_counted(chunk.get("usage")),
    )


def _text(content: Any) -> str:
    if isinstance(content, list):  # Mistral's models that think tell parts
        return "".join(part["text"] for part in content if part.get("type") == "text")
    if content is not None and not isinstance(content, str):
        raise TypeError("content is text")
    return content or ""


def _counted(usage: Any) -> Counted | None:
    match usage:
        case {"prompt_tokens": int(prompt), "completion_tokens": int(completion)}:
            of_prompt, of_completion = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
            return Counted(
                prompt=prompt,
                completion=completion,
                cached=(of_prompt or {}).get("cached_tokens"),
                thinking=(of_completion or {}).get("reasoning_tokens"),
            )
    return None


def _whole(access: Access, model: str, content: bytes) -> Iterator[Delta]:
    """An answer that is not streamed, though that was asked for: an error, or all of it at once."""
    answer = json.loads(content)
    error = answer.get("error") if isinstance(answer, dict) else None
    if error:
        said = error.get("message") if isinstance(error, dict) else error
        kinds = [str(error.get(name)) for name in ("type", "code")] if isinstance(error, dict) else []
        raise failures.failure_in_stream(access, model, said=str(said), kinds=kinds)
    with failures.reading(access, model):
        choice = answer["choices"][0]
        delta = Delta(
            text=_text(choice["message"]["content"]),
            finish_reason=choice["finish_reason"],
            model=answer.get("model"),
            counted=_counted(answer.get("usage")),
        )
    yield delta


@lru_cache(maxsize=64)
def _client(base_url: str, key: str) -> openai.OpenAI:
    # Attempts are counted and shown by the engine, so the library makes none of its own. It wants a key, even for a
    # service that asks for none.
    return openai.OpenAI(
        api_key=key or "none", base_url=base_url, max_retries=0, timeout=None, http_client=network.client()
    )


os.register_at_fork(after_in_child=_client.cache_clear)


@contextmanager
def _explained(access: Access, model: str) -> Iterator[None]:
    """What the library raises, as the error that it is to a node."""
    try:
        yield
    except openai.APITimeoutError as error:
        raise NodeTimeout from error
    except openai.OpenAIError as error:
        raise _failure(access, model, error) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:  # which the library lets through
        raise failures.unreadable(access, model) from error


def _failure(access: Access, model: str, error: openai.OpenAIError) -> HandlerError:
    said = _said(error)
    match error:
        case openai.APIConnectionError():
            cause = f" ({error.__cause__})" if error.__cause__ and str(error.__cause__) else ""
            return Unreachable(failures.told(access, model, f"{said}{cause}"))
        case openai.APIResponseValidationError():
            return failures.unreadable(access, model)
        case openai.APIStatusError():
            kinds = (error.code, error.type)
            return failures.refusal(
                access, model, status=error.status_code, said=said, kinds=kinds, headers=error.response.headers
            )
        case openai.APIError():
            return failures.failure_in_stream(access, model, said=said, kinds=(error.type, error.code))
    return ProviderError(failures.told(access, model, said))


def _said(error: openai.OpenAIError) -> str:
    """What the service itself said, where it did."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    return said if isinstance(said, str) and said else str(error)
