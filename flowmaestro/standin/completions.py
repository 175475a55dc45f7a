"""What a chat completion looks like, whole and in pieces. Source: OpenAI API reference, "Chat Completions"."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from flowmaestro.standin.replies import compose_reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    model: str
    tokens: tuple[str, ...]
    prompt_tokens: int
    finish_reason: str

    @classmethod
    def of(cls, prompt: str, *, model: str, limit: object) -> Completion:
        tokens = tuple(re.findall(r"\s*\S+", compose_reply(prompt)))
        is_cut = isinstance(limit, int) and limit < len(tokens)
        return cls(
            model=model,
            tokens=tokens[:limit] if isinstance(limit, int) else tokens,
            prompt_tokens=len(prompt.split()),
            finish_reason="length" if is_cut else "stop",
        )

    def whole(self) -> dict[str, Any]:
        message = {"role": "assistant", "content": "".join(self.tokens)}
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        return self._frame("chat.completion", [choice]) | {"usage": self._usage()}

    def chunks(self, *, with_usage: bool) -> Iterator[dict[str, Any]]:
        for delta in ({"role": "assistant", "content": ""}, *({"content": token} for token in self.tokens)):
            yield self._chunk({"index": 0, "delta": delta, "finish_reason": None})
        yield self._chunk({"index": 0, "delta": {}, "finish_reason": self.finish_reason})
        if with_usage:
            yield self._chunk() | {"usage": self._usage()}

    def _chunk(self, *choices: dict[str, Any]) -> dict[str, Any]:
        return self._frame("chat.completion.chunk", list(choices))

    def _frame(self, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
        number = crc32("".join(self.tokens).encode())
        created = int(time.time())
        return {
            "id": f"chatcmpl-standin-{number:08x}",
            "object": kind,
            "created": created,
            "model": self.model,
            "choices": choices,
        }

    def _usage(self) -> dict[str, int]:
        spent = len(self.tokens)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": spent,
            "total_tokens": self.prompt_tokens + spent,
        }
