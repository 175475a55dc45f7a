"""A plug-in of the workers: the effect that chaos counts, and ears for what else it wants of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from handlers import HandlerError, Lent, NodeHandler, NodeInput, NodeOutput, node_type
from tests import nodes
from tests.chaos import arming, ledger, twice

EFFECT: Final = "chaos.effect"


class EffectConfig(nodes.SleepConfig):
    fails: int = 0


@node_type(EFFECT, category="test")
class ChaosEffect(NodeHandler[EffectConfig]):
    """Notes that it has begun, takes its time, then gives back its value; its first `fails` attempts fail instead."""

    Config = EffectConfig

    def run(self, node: NodeInput[EffectConfig], lent: Lent) -> NodeOutput:
        ledger.note_begun(ledger.Visit(node.execution_id, node.scope, node.node_id), node.attempt)
        nodes.outside().sleep(node.config.ms, lent)
        if node.attempt <= node.config.fails:
            raise HandlerError("not yet", code="not_yet", retryable=True)
        return NodeOutput(data=node.config.result_of(node.node_id))


if os.environ.get(twice.WANTED):
    twice.begin()
if os.environ.get(arming.FOLDER):
    arming.listen(Path(os.environ[arming.FOLDER]))
