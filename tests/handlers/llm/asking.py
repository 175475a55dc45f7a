"""An `llm` node that asks a service which gives certain answers."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from handlers import HandlerError
from tests.handlers.fakes import RecordingLent, run
from tests.handlers.llm.speakers import Answer, OpenAI, Service, service

KEY = "sk-0123456789abcdef"


class Asking:
    """Has an `llm` node ask a service that gives certain answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: ExitStack) -> None:
        self._monkeypatch, self._stack = monkeypatch, stack
        self.lent = RecordingLent()

    def serve(self, speaker: OpenAI, *answers: Answer) -> Service:
        server = self._stack.enter_context(service(*answers))
        self._monkeypatch.setenv(speaker.key_variable, KEY)
        self._monkeypatch.setenv(speaker.url_variable, server.url + speaker.path)
        return server

    def ask(self, speaker: OpenAI, *answers: Answer, **config: Any) -> Any:
        self.serve(speaker, *answers)
        return self.again(speaker, **config)

    def again(self, speaker: OpenAI, **config: Any) -> Any:
        return run("llm", {"provider": speaker.provider, "model": "m", "prompt": "Hi", **config}, lent=self.lent)

    def fail(self, speaker: OpenAI, *answers: Answer, **config: Any) -> HandlerError:
        with pytest.raises(HandlerError) as failure:
            self.ask(speaker, *answers, **config)
        assert KEY not in str(failure.value)
        return failure.value
