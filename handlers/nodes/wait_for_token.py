"""A question to whoever holds the token."""

from __future__ import annotations

from pydantic import Field

from handlers.base import Effect, NodeInput, NodeOutput, Pause, PauseKind, Resumed
from handlers.pauses import AnswerSchema, Expiring, ExpiringConfig
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import Text


class WaitForTokenConfig(ExpiringConfig):
    token: Text | None = Field(
        None, description="Id of a token that was made beforehand; left out or empty, the node makes its own."
    )
    prompt: Text | None = Field(None, description="What is waited for, for people who look.")
    json_schema: AnswerSchema = Field(None, description="A JSON Schema (draft 2020-12) of the answer.")


@node_type("waitForToken", category="logic", title="Wait for token", effect=Effect.PURE, pauses=True, retries=False)
class WaitForToken(Expiring[WaitForTokenConfig]):
    """Wait until another system reports back: a payment, a signature, a job elsewhere.

    Whoever holds the token completes it, with JSON. Make one beforehand with `POST /waitpoints`, hand it out, and name
    it in `token`; what comes before the run gets here is kept. Without `token` the node makes one when it gets here,
    which the run tells of. An answer that does not fit `jsonSchema` is refused.

    After `expiresInMs` the node leaves by its handle `timeout` with `{"expired": true}`; where no edge is drawn from
    it, it fails.

    Output: `{"result": <the answer>}`.
    """

    Config = WaitForTokenConfig

    def run(self, node: NodeInput[WaitForTokenConfig], lent: Lent) -> NodeOutput:
        del lent
        config = node.config
        return NodeOutput(
            data=None,
            signal=Pause(
                kind=PauseKind.TOKEN,
                key=(config.token or "").strip() or None,
                prompt=config.prompt,
                schema=config.json_schema,
                expires_at=config.expires_at(node.now),
            ),
        )

    def resume(self, node: Resumed) -> NodeOutput:
        return NodeOutput(data={"result": node.answer})
