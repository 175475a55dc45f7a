"""Anthropic's Messages API, spoken natively.

Its endpoint in OpenAI's manner is meant for trying things out: it leaves out thinking, caches and schemas.
Source: Anthropic API reference, "Messages" and "Streaming".
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Final

from handlers.base import JSONObject, JSONValue
from handlers.errors import HandlerError
from handlers.llm import failures
from handlers.llm.dialect import Access, Dialect
from handlers.llm.exchange import Exchange
from handlers.llm.providers import Provider, register
from handlers.llm.requests import ChatRequest, Counted, Delta, Media, Message

_VERSION: Final = "2023-06-01"
_HOTTEST: Final = 1.0  # where OpenAI's scale of temperatures goes to 2
_FINISH_REASONS: Final = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


class AnthropicDialect(Dialect):
    def chat(self, access: Access, request: ChatRequest) -> Generator[Delta, None, None]:
        exchange = _exchange(access, request.model)
        counting = _Counting()
        for event in exchange.events("/v1/messages", json=_body(request)):
            with failures.reading(access, request.model):
                delta = counting.delta(event)
            yield delta

    def takes_schema(self, schema: JSONObject) -> bool:
        """Those whose objects name all that may be in them."""
        return _is_closed(schema)


def _body(request: ChatRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens + (request.thinking_budget or 0),  # which counts both
        "messages": [{"role": message.role, "content": _content(message)} for message in request.messages],
        "stream": True,
    }
    if request.system:
        body["system"] = request.system
    if request.thinking_budget:
        # Thinking takes no temperature.
        budget = {"type": "enabled", "budget_tokens": request.thinking_budget}
        body["thinking"] = {"type": "adaptive", "display": "summarized"} if request.adaptive else budget
    elif request.temperature is not None:
        body["temperature"] = min(request.temperature, _HOTTEST)
    elif request.top_p is not None:  # one of the two, say the newer models
        body["top_p"] = request.top_p
    if request.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": request.schema}}
    return body


def _content(message: Message) -> list[JSONObject]:
    return [_part(part) for part in message.parts]


def _part(part: str | Media) -> JSONObject:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    kind = "document" if part.content_type == "application/pdf" else "image"
    return {"type": kind, "source": {"type": "base64", "media_type": part.content_type, "data": part.base64}}


def _is_closed(schema: JSONValue) -> bool:
    if isinstance(schema, list):
        return all(map(_is_closed, schema))
    if not isinstance(schema, dict):
        return True
    is_open = schema.get("type") == "object" and schema.get("additionalProperties") is not False
    return not is_open and all(map(_is_closed, schema.values()))


class _Counting:
    """Reads the events of one stream: the first counts the prompt, the last the rest."""

    def __init__(self) -> None:
        self._prompt, self._cached = 0, 0

    def delta(self, event: Any) -> Delta:
        match event:
            case {"type": "message_start", "message": {"usage": {"input_tokens": int(fresh)}}}:
                usage = event["message"]["usage"]
                self._cached = usage.get("cache_read_input_tokens") or 0
                self._prompt = fresh + self._cached + (usage.get("cache_creation_input_tokens") or 0)
                return Delta(model=event["message"].get("model"))
            case {"type": "content_block_delta", "delta": {"type": "text_delta", "text": str(text)}}:
                return Delta(text=text)
            case {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": str(thinking)}}:
                return Delta(thinking=thinking)
            case {"type": "message_delta", "delta": {"stop_reason": str(reason)}}:
                return Delta(
                    finish_reason=_FINISH_REASONS.get(reason, reason), counted=self._counted(event.get("usage"))
                )
        return Delta()  # a ping, the end of a block, an event that is still to be invented

    def _counted(self, usage: Any) -> Counted | None:
        match usage:
            case {"output_tokens": int(spent)}:
                return Counted(prompt=self._prompt, completion=spent, cached=self._cached)
        return None


def _exchange(access: Access, model: str) -> Exchange:
    def read_error(body: Any, status: int, headers: Mapping[str, str]) -> HandlerError | None:
        match body:
            case {"type": "error", "error": {"type": str(kind), "message": str(said)}}:
                if not status:
                    return failures.failure_in_stream(access, model, said=said, kinds=(kind,))
                return failures.refusal(access, model, status=status, said=said, kinds=(kind,), headers=headers)
        return None

    headers = {"x-api-key": access.key, "anthropic-version": _VERSION}
    return Exchange(access=access, model=model, headers=headers, read_error=read_error)


register(
    Provider(
        name="anthropic",
        dialect=AnthropicDialect(),
        base_url="https://api.anthropic.com",
        key_variables=("ANTHROPIC_API_KEY",),
        url_variables=("ANTHROPIC_BASE_URL",),
    )
)
