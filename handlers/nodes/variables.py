"""Workflow variables: state that a run keeps beside the outputs of its nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AllowInfNan, Field, Strict, field_validator

from handlers.base import Effect, JSONValue, NodeConfig, NodeHandler, NodeInput, NodeOutput, Raw, VariableWrite
from handlers.errors import ConfigError
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import LARGEST_SUMMAND, is_summable

WAYS = ("value", "increment", "append")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

# Numeric text is refused: "1" may be a number to a reader, to a counter it is a mistake that adds up.
Number = Annotated[int, Strict()] | Annotated[float, Strict(), AllowInfNan(False)]


class SetVariableConfig(NodeConfig):
    name: Raw = Field(description="The variable; a name, not a reference.")
    value: Any = Field(None, description="Set the variable to this.")
    increment: Number = Field(0, description="Add this number to the variable.")
    append: Any = Field(None, description="Put this at the end of the list in the variable.")

    @field_validator("value", "increment")
    @classmethod
    def _can_be_added_up(cls, change: JSONValue) -> JSONValue:
        if not is_summable(change):
            raise ValueError(f"A number in a variable is within ±{LARGEST_SUMMAND:g}, for sums of it to be numbers.")
        return change

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError("A variable's name is fixed: letters, digits and _.")
        return name


@node_type("setVariable", category="logic", title="Set variable", effect=Effect.PURE)
class SetVariable(NodeHandler[SetVariableConfig]):
    """Change a workflow variable: set its `value`, `increment` it by a number, or `append` an item to its list.

    An increment starts from 0 and an append from an empty list where the variable has no value yet; both may be done by
    concurrent branches, none is lost. Output: what was done, `{"name": "count", "increment": 1}`, never the total: that
    is read as `{{var.count}}`.
    """

    Config = SetVariableConfig

    def run(self, node: NodeInput[SetVariableConfig], lent: Lent) -> NodeOutput:
        del lent
        config = node.config
        given = [way for way in WAYS if way in config.model_fields_set]
        if len(given) != 1:
            raise ConfigError(f"Needs exactly one of {', '.join(WAYS)}.")
        how = given[0]
        change = getattr(config, how)
        write = VariableWrite(name=config.name, how=how, value=change)
        return NodeOutput(data={"name": config.name, how: change}, writes=(write,))

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        given = [way for way in WAYS if way in config]
        if len(given) == 1:
            return []
        return [(given[1] if given else "value", f"Needs exactly one of {', '.join(WAYS)}.")]

    @classmethod
    def writes(cls, config: Mapping[str, Any]) -> str | None:
        name = config.get("name")
        return name if isinstance(name, str) else None
