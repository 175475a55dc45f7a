"""A language model's answer to a prompt."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import openai
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from openai.types.completion_usage import CompletionUsage
from pydantic import Field

from handlers import network
from handlers.base import Effect, JSONObject, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput, Usage
from handlers.errors import (
    RETRYABLE_STATUSES,
    ConfigError,
    HandlerError,
    NodeTimeout,
    ProviderError,
    RateLimited,
    Unreachable,
)
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_MODELS
from handlers.values import Text

PROVIDERS = ("openai",)
# The client library's own names.
KEY_VARIABLE = "OPENAI_API_KEY"
URL_VARIABLE = "OPENAI_BASE_URL"
OPENAI_URL = "https://api.openai.com/v1"


class LlmConfig(NodeConfig):
    provider: str = Field("openai", description=f"One of: {', '.join(PROVIDERS)}.")
    model: str = Field(min_length=1, description="The provider's name of the model.")
    system_prompt: Text | None = Field(None, description="What the model is told before the prompt.")
    prompt: Text = Field(min_length=1)
    temperature: float = Field(0.7, ge=0, le=2)
    max_tokens: int = Field(1000, gt=0, description="The longest answer, in tokens.")
    top_p: float = Field(1, ge=0, le=1)


@node_type("llm", category="ai", title="Language model", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_MODELS)
class Llm(NodeHandler[LlmConfig]):
    """Ask a language model. The answer streams to whoever watches the run, word by word.

    Output: `{"text", "finishReason", "usage", "model", "provider"}`. A `finishReason` other than `stop` says why the
    text is not whole: `length` for one cut at `maxTokens`. The usage is `{"promptTokens", "completionTokens",
    "totalTokens"}`, or null when the service did not count.

    Provider `openai` is every service that speaks OpenAI's chat completions: the key stands in the environment variable
    `OPENAI_API_KEY`, the address of a service other than OpenAI's in `OPENAI_BASE_URL`.
    """

    Config = LlmConfig

    def run(self, node: NodeInput[LlmConfig], lent: Lent) -> NodeOutput:
        config = node.config
        if config.provider not in PROVIDERS:
            raise ConfigError(f"The provider {config.provider!r} is not supported; there is {', '.join(PROVIDERS)}.")
        client = _client(_base_url(), _key())
        with network.call(lent, seconds=lent.remaining()) as call:
            try:
                with _open_stream(client, config) as stream:
                    reply = _collect(stream, lent)
            except openai.APITimeoutError as error:
                raise NodeTimeout(f"{config.model}: no complete answer within {call.seconds:g} s.") from error
            except openai.OpenAIError as error:
                raise _explained(error, config) from error
            except (json.JSONDecodeError, UnicodeDecodeError) as error:  # which the library lets through
                raise ProviderError(f"{config.model}: the answer cannot be read.", code="invalid_response") from error
        if reply.finish_reason == "length":
            lent.log("warning", f"The answer was cut at {config.max_tokens} tokens (maxTokens).")
        return _output(reply, config)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    text: str
    finish_reason: str
    model: str | None  # as the service calls it: gpt-4o becomes gpt-4o-2024-08-06
    counted: CompletionUsage | None


def _open_stream(client: openai.OpenAI, config: LlmConfig) -> openai.Stream[ChatCompletionChunk]:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": config.prompt}]
    if config.system_prompt:
        messages.insert(0, {"role": "system", "content": config.system_prompt})
    # OpenAI's newer models refuse max_tokens; other services know nothing else, and some ignore what they do not know.
    is_openai = str(client.base_url).startswith(OPENAI_URL)
    return client.chat.completions.create(
        model=config.model,
        messages=messages,
        temperature=config.temperature,
        top_p=config.top_p,
        stream=True,
        stream_options={"include_usage": True},
        max_completion_tokens=config.max_tokens if is_openai else openai.omit,
        max_tokens=openai.omit if is_openai else config.max_tokens,
    )


def _collect(chunks: Iterable[ChatCompletionChunk], lent: Lent) -> Reply:
    pieces: list[str] = []
    finish_reason, model, counted = None, None, None
    for chunk in chunks:
        model, counted = chunk.model or model, chunk.usage or counted
        for choice in chunk.choices or ():
            finish_reason = choice.finish_reason or finish_reason
            if choice.delta.content:
                pieces.append(choice.delta.content)
                lent.token(choice.delta.content)
    if finish_reason is None:
        raise Unreachable("The answer broke off: the service closed the stream before it said that this was all.")
    return Reply(text="".join(pieces), finish_reason=finish_reason, model=model, counted=counted)


def _output(reply: Reply, config: LlmConfig) -> NodeOutput:
    model, counted = reply.model or config.model, reply.counted
    data: JSONObject = {
        "text": reply.text,
        "finishReason": reply.finish_reason,
        "usage": None,
        "model": model,
        "provider": config.provider,
    }
    if counted is None:
        return NodeOutput(data=data)
    usage = Usage(
        model=model,
        provider=config.provider,
        prompt_tokens=counted.prompt_tokens,
        completion_tokens=counted.completion_tokens,
    )
    data["usage"] = {
        "promptTokens": usage.prompt_tokens,
        "completionTokens": usage.completion_tokens,
        "totalTokens": usage.total_tokens,
    }
    return NodeOutput(data=data, usage=usage)


@lru_cache(maxsize=32)
def _client(base_url: str, key: str) -> openai.OpenAI:
    # Attempts are counted and shown by the engine, so the library makes none of its own.
    return openai.OpenAI(api_key=key, base_url=base_url, max_retries=0, timeout=None, http_client=network.client())


os.register_at_fork(after_in_child=_client.cache_clear)


def _key() -> str:
    key = os.environ.get(KEY_VARIABLE, "")
    if not key:
        raise ConfigError(
            f"There is no key for the language model: set {KEY_VARIABLE} in the environment of the workers"
            f" (and {URL_VARIABLE} for a service other than OpenAI's).",
            code="missing_credentials",
        )
    return key


def _base_url() -> str:
    return os.environ.get(URL_VARIABLE) or OPENAI_URL


def _explained(error: openai.OpenAIError, config: LlmConfig) -> HandlerError:
    message = f"{config.model}: {_message(error)}"
    match error:
        case openai.APIConnectionError():
            return Unreachable(f"{message} ({error.__cause__})" if error.__cause__ else message)
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return ConfigError(f"{message} The key in {KEY_VARIABLE} was refused.", code="credentials_refused")
        case openai.RateLimitError() if error.code != "insufficient_quota":
            wait = network.retry_after(error.response.headers, now=datetime.now(UTC))
            return RateLimited(message, status=error.status_code, retry_after=wait)
        case openai.RateLimitError():  # no waiting fills an empty account
            return ProviderError(message, status=error.status_code, code="insufficient_quota")
        case openai.APIStatusError():
            return ProviderError(
                message,
                status=error.status_code,
                retryable=error.status_code in RETRYABLE_STATUSES,
                retry_after=network.retry_after(error.response.headers, now=datetime.now(UTC)),
            )
        case openai.APIError():  # told in the middle of a stream, where there is no status any more
            return ProviderError(message, retryable=error.type == "server_error")
    return ProviderError(message)


def _message(error: openai.OpenAIError) -> str:
    """What the service itself said, where it did."""
    body = getattr(error, "body", None)
    said = body.get("message") if isinstance(body, dict) else None
    return said if isinstance(said, str) and said else str(error)
