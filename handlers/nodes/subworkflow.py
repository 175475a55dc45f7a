"""A workflow as a step of another."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from handlers.base import Effect, NodeConfig, NodeHandler, NodeInput, NodeOutput, StartChild
from handlers.ports import Lent
from handlers.registry import node_type


class SubWorkflowConfig(NodeConfig):
    workflow: str = Field(
        validation_alias=AliasChoices("workflow", "workflowId"), min_length=1, description="Id of the workflow to run."
    )
    version: int | None = Field(None, ge=1, description="Its version; the published one when it is left out.")
    inputs: dict[str, Any] = Field(default_factory=dict, description="What it is started with, by name.")


@node_type("subWorkflow", category="logic", title="Sub-workflow", effect=Effect.PURE, delegates=True, retries=False)
class SubWorkflow(NodeHandler[SubWorkflowConfig]):
    """Run another workflow and go on with what it returns.

    It is an execution of its own, linked to this one, and sees nothing of it but `inputs`. Its failure is this node's
    failure; cancelling this run cancels it. At most 25 may be started within each other.

    Output: the outputs of that run.
    """

    Config = SubWorkflowConfig

    def run(self, node: NodeInput[SubWorkflowConfig], lent: Lent) -> NodeOutput:
        del lent
        config = node.config
        child = StartChild(workflow=config.workflow, version=config.version, inputs=config.inputs)
        return NodeOutput(data=None, signal=child)
