"""A workflow as a step of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import AliasChoices, Field

from handlers.base import Effect, NodeConfig, NodeHandler, NodeInput, NodeOutput, StartChild
from handlers.ports import Lent
from handlers.registry import node_type

WORKFLOW_KEYS: Final = ("workflow", "workflowId")


class SubWorkflowConfig(NodeConfig):
    workflow: str = Field(
        validation_alias=AliasChoices(*WORKFLOW_KEYS), min_length=1, description="Id of the workflow to run."
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

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        key = next((key for key in WORKFLOW_KEYS if key in config), WORKFLOW_KEYS[0])
        if not names_a_file(config.get(key)):
            return []
        told = "the id of a workflow belongs here; `flowmaestro run` puts it here for a file, once it has stored that"
        return [(key, f"{config[key]} is the name of a file: {told}.")]


def names_a_file(workflow: object) -> bool:
    """Whether a definition in a file means another file beside it: a path that ends in .json."""
    return isinstance(workflow, str) and workflow.endswith(".json") and "{{" not in workflow
