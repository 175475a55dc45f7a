"""Asking a model: streamed, within limits, without the settings that it does not know."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from handlers.base import Usage
from handlers.errors import ProviderError, Unreachable
from handlers.llm.calling import Patience, calling, reach
from handlers.llm.fields import Choice, ModelFields
from handlers.llm.prices import prices
from handlers.llm.providers import provider_named
from handlers.llm.requests import ChatRequest, Counted
from handlers.llm.schema import instructed
from handlers.ports import Lent

_MOST_TRIES: Final = 5  # one, and one for each kind of setting that a model may not know
_MAX_ANSWER: Final = 4 * 1024 * 1024  # characters
_REFUSED: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
_COUNTING: Final = re.compile(r"stream_options|include_usage")
_SAMPLING: Final = re.compile(r"(?i)\b(temperature|top_?p)\b")
_ADAPTIVE: Final = re.compile(r"(?i)thinking.{0,80}adaptive|thinking.?budget", re.DOTALL)
_THINKING: Final = re.compile(r"(?i)reasoning_?effort|\bthinking\b")
_SCHEMA: Final = re.compile(r"(?i)response_format|json.?schema|output_config|output_format|\bschema\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer."""

    text: str
    thinking: str
    finish_reason: str
    model: str  # as the service calls it
    provider: str


class Meter:
    """What all calls of an attempt used, those that were in vain included."""

    def __init__(self) -> None:
        self._total: Counted | None = None
        self._cost: float | None = 0.0  # None: some of it nobody knows

    def add(self, counted: Counted | None, *, provider: str, model: str) -> None:
        """Add what a service counted; None, when it did not count, adds nothing: a guess would be taken for a bill."""
        if counted is None:
            return
        cost = prices().cost(provider, model, counted)
        self._cost = None if cost is None or self._cost is None else self._cost + cost
        before = self._total or Counted(prompt=0, completion=0)
        self._total = Counted(
            prompt=before.prompt + counted.prompt,
            completion=before.completion + counted.completion,
            cached=_sum(before.cached, counted.cached),
            thinking=_sum(before.thinking, counted.thinking),
        )

    def usage(self, *, provider: str, model: str) -> Usage | None:
        """The sum, told of the model that answered in the end; None when nothing was counted."""
        total = self._total
        if total is None:
            return None
        return Usage(
            model=model,
            provider=provider,
            prompt_tokens=total.prompt,
            completion_tokens=total.completion,
            cached_tokens=total.cached,
            thinking_tokens=total.thinking,
            cost_usd=self._cost,
        )


def chat(
    lent: Lent, fields: ModelFields, choice: Choice, request: ChatRequest, meter: Meter, *, is_streamed: bool
) -> Reply:
    """What *choice* answers. A setting that it refuses is left out, which the log tells, and it is asked again.

    Raises HandlerError.
    """
    request = replace(request, model=choice.model)
    if request.schema is not None and not provider_named(choice.provider).dialect.takes_schema(request.schema):
        request = instructed(request)
    for _ in range(_MOST_TRIES - 1):
        try:
            return _chat(lent, fields, choice, request, meter, is_streamed=is_streamed)
        except ProviderError as error:
            simpler = _simplified(request, error)
            if simpler is None:
                raise
            request, told = simpler
            lent.log("warning", f"{choice.model} {told}, and is asked without.")
    return _chat(lent, fields, choice, request, meter, is_streamed=is_streamed)


def _chat(
    lent: Lent, fields: ModelFields, choice: Choice, request: ChatRequest, meter: Meter, *, is_streamed: bool
) -> Reply:
    provider, access = reach(choice, lent)
    pieces: list[str] = []
    thoughts: list[str] = []
    length = 0
    finish_reason, model, counted = None, None, None
    # Another model may have room.
    waits = fields.first_token_timeout if fields.models else None
    with calling(lent, access, fields, model=choice.model, patience=waits) as call:
        patience = Patience(call, first=fields.first_token_timeout, idle=fields.idle_timeout, model=choice.model)
        deltas = provider.dialect.chat(access, request)
        with patience.waiting(), closing(deltas):
            for delta in deltas:
                patience.heard(is_answer=bool(delta.text or delta.thinking or delta.finish_reason))
                model, counted = delta.model or model, delta.counted or counted
                finish_reason = delta.finish_reason or finish_reason
                pieces.append(delta.text)
                thoughts.append(delta.thinking)
                length += len(delta.text) + len(delta.thinking)
                if length > _MAX_ANSWER:
                    raise ProviderError(f"{choice.model}: the answer has no end.", code="response_too_large")
                if delta.text and is_streamed:
                    lent.token(delta.text)
    meter.add(counted, provider=choice.provider, model=model or choice.model)
    if finish_reason is None:
        raise Unreachable(
            f"{choice.model}: the answer broke off: the service closed the stream before it said that this was all."
        )
    return Reply(
        text="".join(pieces),
        thinking="".join(thoughts),
        finish_reason=finish_reason,
        model=model or choice.model,
        provider=choice.provider,
    )


def _simplified(request: ChatRequest, error: ProviderError) -> tuple[ChatRequest, str] | None:
    """The request without what the service says it does not take, and that in words; None when it is not about that.

    Which model takes what changes with every release; the service itself knows.
    """
    said = str(error)
    if error.status not in _REFUSED:
        return None
    if request.asks_to_count and _COUNTING.search(said):
        return replace(request, asks_to_count=False), "cannot be asked to count tokens"
    if _SAMPLING.search(said) and (request.temperature, request.top_p) != (None, None):
        return replace(request, temperature=None, top_p=None), "takes no temperature or topP like these"
    if request.thinking_budget and not request.adaptive and _ADAPTIVE.search(said):
        return replace(request, adaptive=True), "decides by itself how much it thinks (thinkingBudget)"
    if request.thinking_budget and _THINKING.search(said):
        return replace(request, thinking_budget=None, adaptive=False), "cannot be told to think (enableThinking)"
    if request.schema is not None and _SCHEMA.search(said):
        return instructed(request), "cannot be held to this schema by its service"
    return None


def _sum(left: int | None, right: int | None) -> int | None:
    return None if left is None and right is None else (left or 0) + (right or 0)
