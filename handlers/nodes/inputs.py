"""Where a run begins: what it was started with."""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field

from handlers.base import Effect, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.errors import InputError
from handlers.ports import Lent
from handlers.registry import node_type


class TriggerConfig(NodeConfig):
    """How a trigger fires is told to whatever fires it; to the node in the graph every configuration is fine."""


@node_type("trigger", category="inputs", title="Trigger", effect=Effect.PURE, takes_inputs=True)
class Trigger(NodeHandler[TriggerConfig]):
    """Where a run starts. The output is what the run was started with: the body of a webhook call, the payload of an
    event, the inputs given by hand.
    """

    Config = TriggerConfig

    def run(self, node: NodeInput[TriggerConfig], lent: Lent) -> NodeOutput:
        del lent
        return NodeOutput(data=dict(node.inputs))


class InputConfig(NodeConfig):
    input_name: str | None = Field(None, description="The input to hand on; all of them when there is no name.")
    input_type: str = Field("text", description="text, json, file: what a form asks for. The value keeps its type.")
    label: str | None = None
    description: str | None = None
    required: bool = Field(False, description="Fail when the run was started without this input.")
    value: Any = Field(
        None,
        validation_alias=AliasChoices("value", "defaultValue"),
        description="What the input is when the run was started without it.",
    )


@node_type("input", category="inputs", title="Input", effect=Effect.PURE, source=True, takes_inputs=True)
class Input(NodeHandler[InputConfig]):
    """One named input of the run, or all of them. Takes part in every run, wherever that was started.

    Output: `{<inputName>: value}`, or every input when no name is set. An input that was not given is the configured
    `value`, or null; one that is `required` fails the node.
    """

    Config = InputConfig

    def run(self, node: NodeInput[InputConfig], lent: Lent) -> NodeOutput:
        del lent
        name = node.config.input_name
        if not name:
            return NodeOutput(data=dict(node.inputs))
        value = node.inputs.get(name)
        if value is None:
            value = node.config.value
        if value is None and node.config.required:
            raise InputError(f"The run was started without the input {name!r}.", code="missing_input")
        return NodeOutput(data={name: value})
