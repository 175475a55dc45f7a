"""Asking one of several models, for text or for a value of a schema."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handlers.base import JSONObject, JSONValue, Usage
from handlers.errors import ConfigError, HandlerError, NodeTimeout, ProviderError
from handlers.llm.chat import Meter, Reply, chat
from handlers.llm.fields import Choice, ModelFields
from handlers.llm.requests import ChatRequest
from handlers.llm.schema import read_answer, repairing
from handlers.ports import Lent


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of it, and what it took."""

    text: str
    thinking: str
    finish_reason: str
    model: str  # as the service calls it
    provider: str
    value: JSONValue  # of the schema; None when there is none
    usage: Usage | None  # of all calls that were made for it; None when the service did not count
    failed: tuple[JSONObject, ...]  # the models that were asked before in vain: {provider, model, code, message}

    def usage_json(self) -> JSONObject | None:
        """How node outputs tell the tokens."""
        return None if self.usage is None else usage_json(self.usage)


def usage_json(usage: Usage) -> JSONObject:
    """How node outputs tell tokens: what is not known is left out."""
    told: JSONObject = {
        "promptTokens": usage.prompt_tokens,
        "completionTokens": usage.completion_tokens,
        "totalTokens": usage.total_tokens,
    }
    rest = {"thinkingTokens": usage.thinking_tokens, "cachedTokens": usage.cached_tokens, "costUsd": usage.cost_usd}
    return told | {name: value for name, value in rest.items() if value is not None}


def ask(
    lent: Lent, fields: ModelFields, request: ChatRequest, *, schema: JSONObject | None = None, is_streamed: bool = True
) -> Answer:
    """The answer of the first of the models that gives one; *request* may leave the model open.

    A model that fails, is busy or silent, or whose key is refused makes room for the next. What is wrong with the
    request itself, and a run that is over, does not. Raises HandlerError; of several models a ProviderError with code
    `models_exhausted`, unless the attempt's time is up.
    """
    meter = Meter()
    failed: list[tuple[Choice, HandlerError]] = []
    choices = fields.choices()
    for choice in choices:
        try:
            reply, value = _ask_one(lent, fields, choice, request, meter, schema=schema, is_streamed=is_streamed)
        except (ProviderError, ConfigError, NodeTimeout) as error:
            if len(choices) == 1 or not _is_about_the_model(error) or lent.remaining() <= 0:
                raise
            failed.append((choice, error))
            following = choices[len(failed)] if len(failed) < len(choices) else None
            lent.log("warning", f"{choice} failed: {error}" + (f" Now {following} is asked." if following else ""))
            lent.check_cancelled()
            continue
        if failed:
            lent.log("info", f"{choice} answered, in place of {', '.join(str(other) for other, _ in failed)}.")
        return Answer(
            text=reply.text,
            thinking=reply.thinking,
            finish_reason=reply.finish_reason,
            model=reply.model,
            provider=reply.provider,
            value=value,
            usage=meter.usage(provider=reply.provider, model=reply.model),
            failed=tuple(_failure(choice, error) for choice, error in failed),
        )
    raise _exhausted(failed)


def _is_about_the_model(error: HandlerError) -> bool:
    """And not about what it was asked."""
    return not isinstance(error, ConfigError) or error.code == "credentials_refused"


def _ask_one(
    lent: Lent,
    fields: ModelFields,
    choice: Choice,
    request: ChatRequest,
    meter: Meter,
    *,
    schema: JSONObject | None,
    is_streamed: bool,
) -> tuple[Reply, JSONValue]:
    request = replace(request, schema=schema)
    reply = chat(lent, fields, choice, request, meter, is_streamed=is_streamed)
    if schema is None:
        return reply, None
    value, wrong = read_answer(schema, reply.text)
    if wrong and reply.finish_reason == "stop":
        lent.log(
            "warning",
            f"{choice.model} gave an answer that does not fit the schema, and is asked again: {' '.join(wrong)}",
        )
        again = repairing(request, reply.text, wrong)
        reply = chat(lent, fields, choice, again, meter, is_streamed=False)
        value, wrong = read_answer(schema, reply.text)
    if wrong:
        cut = " It was cut at maxTokens." if reply.finish_reason == "length" else ""
        raise ProviderError(
            f"{choice.model}: the answer does not fit the schema.{cut} {' '.join(wrong)}",
            code="invalid_structured_output",
            details={"errors": list(wrong), "text": reply.text[:2000]},
        )
    return reply, value


def _failure(choice: Choice, error: HandlerError) -> JSONObject:
    return {"provider": choice.provider, "model": choice.model, "code": error.code, "message": str(error)}


def _exhausted(failed: list[tuple[Choice, HandlerError]]) -> ProviderError:
    waits = [error.retry_after for _, error in failed if error.retryable and error.retry_after is not None]
    told = " ".join(f"{choice}: {error}" for choice, error in failed)
    return ProviderError(
        f"None of the {len(failed)} models answered. {told}",
        code="models_exhausted",
        retryable=any(error.retryable for _, error in failed),
        retry_after=min(waits, default=None),
        details={"models": [_failure(choice, error) for choice, error in failed]},
    )
