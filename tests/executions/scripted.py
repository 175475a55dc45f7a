"""Node types that do what the test says, entered into the catalogue as a plug-in would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

from handlers import (
    TIMEOUT_PORT,
    Effect,
    Lent,
    NodeConfig,
    NodeHandler,
    NodeInput,
    NodeOutput,
    Pause,
    PauseKind,
    Resumed,
    Votes,
    node_type,
)

Script: TypeAlias = Callable[[NodeInput[Any], Lent], NodeOutput]

# By node id; the fixture `scripts` hands it out and empties it.
SCRIPTS: dict[str, Script] = {}


class ScriptConfig(NodeConfig):
    value: Any = None
    number: int = 0


class _Scripted(NodeHandler[ScriptConfig]):
    Config = ScriptConfig

    def run(self, node: NodeInput[ScriptConfig], lent: Lent) -> NodeOutput:
        script = SCRIPTS.get(node.node_id)
        return NodeOutput(data={"result": node.config.value}) if script is None else script(node, lent)


@node_type("test.script", category="test")
class EffectScript(_Scripted):
    """An effect that follows its script; without one it gives back its value."""


@node_type("test.pureScript", category="test", effect=Effect.PURE)
class PureScript(_Scripted):
    """The same, pure."""


def answers(data: Any) -> Script:
    """A script that puts out *data*."""
    return lambda node, lent: NodeOutput(data=data)


def raises(error: BaseException) -> Script:
    """A script that raises *error*."""

    def script(node: NodeInput[Any], lent: Lent) -> NodeOutput:
        raise error

    return script


def in_turn(*scripts: Script) -> Script:
    """A script that is one after the other of *scripts*, by attempt; the last over and over."""
    return lambda node, lent: scripts[min(node.attempt, len(scripts)) - 1](node, lent)


class Killed(BaseException):
    """The process ends here, as at a SIGKILL: nothing that runs handlers or writes rows may catch it."""


class _AskConfig(NodeConfig):
    kind: PauseKind = PauseKind.HUMAN
    prompt: str = "Well?"
    ms: int | None = None  # until it wakes, or expires
    key: str | None = None
    matches: dict[str, Any] = {}
    votes: tuple[int, int] | None = None
    answer_schema: dict[str, Any] | None = None
    form: dict[str, Any] = {}


@node_type("test.ask", category="test", effect=Effect.PURE, pauses=True, retries=False)
class Ask(NodeHandler[_AskConfig]):
    """Waits, and puts out what it was told."""

    Config = _AskConfig

    def run(self, node: NodeInput[_AskConfig], lent: Lent) -> NodeOutput:
        config = node.config
        at = None if config.ms is None else node.now + timedelta(milliseconds=config.ms)
        is_timer = config.kind is PauseKind.TIMER
        pause = Pause(
            kind=config.kind,
            prompt=config.prompt,
            schema=config.answer_schema,
            form=config.form,
            wakes_at=at if is_timer else None,
            expires_at=None if is_timer else at,
            key=config.key,
            matches=config.matches,
            votes=Votes(needed=config.votes[0], voters=config.votes[1]) if config.votes else None,
            state={"asked": node.node_id},
        )
        return NodeOutput(data=None, signal=pause)

    def resume(self, node: Resumed) -> NodeOutput:
        return NodeOutput(data={"answer": node.answer, **node.state})

    @classmethod
    def ports(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        return (TIMEOUT_PORT,)
