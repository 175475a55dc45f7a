"""A pause until something happens."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from handlers.base import Effect, NodeInput, NodeOutput, Pause, PauseKind, Resumed
from handlers.pauses import AnswerSchema, Expiring, ExpiringConfig
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import Text


class WaitForEventConfig(ExpiringConfig):
    event_type: Text = Field(min_length=1, max_length=200, description="The type of event, such as `order.paid`.")
    match: dict[str, Any] = Field(
        default_factory=dict,
        description="Fields of its payload, or paths such as `order.id`, and what each has to be.",
    )
    json_schema: AnswerSchema = Field(None, description="A JSON Schema (draft 2020-12) of its payload.")


@node_type("waitForEvent", category="logic", title="Wait for event", effect=Effect.PURE, pauses=True, retries=False)
class WaitForEvent(Expiring[WaitForEventConfig]):
    """Wait for an event that is sent to the workspace with `POST /events`.

    It is the first of `eventType` whose payload has all that `match` says and fits `jsonSchema`; others pass by. Only
    what comes after the run got here counts.

    After `expiresInMs` the node leaves by its handle `timeout` with `{"expired": true}`; where no edge is drawn from
    it, it fails.

    Output: `{"event": <the payload>}`.
    """

    Config = WaitForEventConfig

    def run(self, node: NodeInput[WaitForEventConfig], lent: Lent) -> NodeOutput:
        del lent
        config = node.config
        return NodeOutput(
            data=None,
            signal=Pause(
                kind=PauseKind.EVENT,
                key=config.event_type,
                matches=config.match,
                schema=config.json_schema,
                expires_at=config.expires_at(node.now),
            ),
        )

    def resume(self, node: Resumed) -> NodeOutput:
        return NodeOutput(data={"event": node.answer})
