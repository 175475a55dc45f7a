"""A text for people as an output of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AliasChoices, Field

from handlers.base import Effect, JSONObject, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.markup import render
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import Text


class TemplateOutputConfig(NodeConfig):
    output_name: str = Field(min_length=1, description="The name of the text among the run's outputs.")
    template: Text = Field(description="Markdown, with {{references}} in it.")
    output_format: Literal["markdown", "html"] = Field(
        "markdown", validation_alias=AliasChoices("outputFormat", "templateType")
    )


@node_type("templateOutput", category="outputs", title="Text output", effect=Effect.PURE, terminal=True)
class TemplateOutput(NodeHandler[TemplateOutputConfig]):
    """A text for people as a named result of the run. Output: `{<outputName>: text}`.

    - `markdown` (default): the template filled in, and nothing else.
    - `html`: the same made HTML, with tables and strikethrough. HTML in it stays as far as it is harmless: scripts,
      styles, forms, frames and addresses like `javascript:` are taken out, whoever brought them in. Up to 100,000
      characters (`too_large`).
    """

    Config = TemplateOutputConfig

    def run(self, node: NodeInput[TemplateOutputConfig], lent: Lent) -> NodeOutput:
        del lent
        config = node.config
        text = render(config.template) if config.output_format == "html" else config.template
        return NodeOutput(data={config.output_name: text})

    @classmethod
    def implied(cls, drawn_as: str, config: Mapping[str, Any]) -> JSONObject:
        del drawn_as
        name = config.get("outputVariable")  # of existing workflows, which have no other name for it
        return {"outputName": name} if "outputName" not in config and isinstance(name, str) and name else {}
