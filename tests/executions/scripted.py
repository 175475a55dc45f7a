"""Node types that do what the test says, entered into the catalogue as a plug-in would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from handlers import Effect, Lent, NodeConfig, NodeHandler, NodeInput, NodeOutput, node_type

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
