"""An answer to the caller who waits, while the run goes on."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from handlers.base import Effect, JSONObject, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.ports import Lent
from handlers.registry import node_type


class ResponseConfig(NodeConfig):
    status_code: int = Field(200, ge=200, le=599, description="HTTP status of the answer.")
    body: Any = Field(None, description="What is answered.")
    headers: dict[str, str] = Field(default_factory=dict, description="HTTP headers of the answer.")


@node_type("response", category="outputs", title="Response", effect=Effect.PURE, responds=True)
class Response(NodeHandler[ResponseConfig]):
    """Answer the caller who waits for this run, at once; the run goes on. The first to run answers.

    Output: `{"status", "body", "headers"}`, the last when there are any.
    """

    Config = ResponseConfig

    def run(self, node: NodeInput[ResponseConfig], lent: Lent) -> NodeOutput:
        del lent
        config = node.config
        answer: JSONObject = {"status": config.status_code, "body": config.body}
        if config.headers:
            answer["headers"] = dict(config.headers)
        return NodeOutput(data=answer)
