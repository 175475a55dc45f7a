"""What a run produces, by name."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, assert_never

from pydantic import Field

from handlers.base import Effect, JSONValue, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.errors import InputError
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import is_truthy, number_of, read_container, text_of

Format: TypeAlias = Literal["json", "string", "number", "boolean"]


class OutputConfig(NodeConfig):
    output_name: str = Field(min_length=1, description="The name of the result among the run's outputs.")
    value: Any = Field(description="What to put out; a lone reference keeps its type.")
    format: Format = "string"
    description: str | None = None


@node_type("output", category="outputs", title="Output", effect=Effect.PURE, terminal=True)
class Output(NodeHandler[OutputConfig]):
    """A named result of the run. Output: `{<outputName>: value}`, the value made to fit the `format`:

    - `string` (default): text; an object or a list is its JSON.
    - `number`: numeric text is read, true is 1; anything else that is not a number fails the node.
    - `boolean`: false for null, false, 0 and empty text, true for the rest; mind that the text `false` is true.
    - `json`: the value as it is; text that holds a JSON object or list is read.
    """

    Config = OutputConfig

    def run(self, node: NodeInput[OutputConfig], lent: Lent) -> NodeOutput:
        del lent
        config = node.config
        return NodeOutput(data={config.output_name: _convert(config.value, config.format)})


def _convert(value: JSONValue, form: Format) -> JSONValue:
    match form:
        case "string":
            return text_of(value)
        case "boolean":
            return is_truthy(value)
        case "json":
            return read_container(value) if isinstance(value, str) else value
        case "number":
            number = number_of(value)
            if number is None:
                raise InputError(f"{text_of(value)[:100]!r} is not a number.", code="not_a_number")
            return number
        case never:
            assert_never(never)
