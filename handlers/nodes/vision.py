"""Pictures, seen or made by a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import AliasChoices, Field

from handlers import llm
from handlers.base import Effect, JSONObject, Lane, NodeHandler, NodeInput, NodeOutput
from handlers.errors import ConfigError, InputError
from handlers.llm import AnswerSchema, ChatRequest, DrawRequest, MediaFields, Message, ModelFields, Name, draw
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_MODELS
from handlers.values import Text

MOST_IMAGES: Final = 10
DESCRIBE: Final = "Describe this image."


class VisionConfig(ModelFields, MediaFields):
    operation: Literal["analyze", "generate"] = "analyze"
    image_input: Any = Field(
        None,
        validation_alias=AliasChoices("imageInput", "image"),
        description="analyze: a path, a URL, a data: URL, base64, a stored file, or a list.",
    )
    prompt: Text | None = Field(None, description="analyze: the question; generate: what to draw.")
    max_tokens: int = Field(1000, gt=0, description="analyze: the longest answer, in tokens.")
    temperature: float | None = Field(None, ge=0, le=2, description="analyze: the model's own if left out.")
    response_schema: AnswerSchema = Field(None, description="analyze: JSON Schema of the answer.")
    size: Name = Field(None, description="generate: such as 1024x1024.")
    quality: Name = Field(None, description="generate: such as low, medium, high.")
    n: int = Field(1, ge=1, le=10, description="generate: how many.")


@node_type("vision", category="ai", title="Vision", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_MODELS)
class Vision(NodeHandler[VisionConfig]):
    """Have a model look at pictures (`analyze`), or make some (`generate`).

    `imageInput` is a picture or a list of up to ten: a path in the workspace, a URL, a `data:` URL, base64, or what
    other nodes give for a file. PNG, JPEG, GIF and WebP of up to 20 MB each are read.

    Output of `analyze`: `{"operation", "text", "finishReason", "usage", "model", "provider"}`, with `data` if there is
    a `responseSchema`. The text streams. Output of `generate` is that of `imageGeneration`, and `operation`.

    Models, keys, limits and errors are those of `llm`; `file_missing`, `file_too_large` and `invalid_input` for what is
    no picture.
    """

    Config = VisionConfig

    def run(self, node: NodeInput[VisionConfig], lent: Lent) -> NodeOutput:
        return _generate(node, lent) if node.config.operation == "generate" else _analyze(node.config, lent)

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        wrong = list(llm.check_model(config))
        if config.get("operation", "analyze") == "analyze" and not (config.get("imageInput") or config.get("image")):
            wrong.append(("imageInput", "analyze needs a picture."))
        if config.get("operation") == "generate" and not config.get("prompt"):
            wrong.append(("prompt", "generate needs to be told what to draw."))
        return wrong


def _analyze(config: VisionConfig, lent: Lent) -> NodeOutput:
    given = config.image_input if isinstance(config.image_input, list) else [config.image_input]
    if len(given) > MOST_IMAGES:
        raise InputError(f"imageInput has {len(given)} pictures; up to {MOST_IMAGES} are looked at together.")
    if not given:
        raise InputError("imageInput is an empty list.")
    images = [llm.read_image(value, lent, field="imageInput") for value in given]
    request = ChatRequest(
        model=config.model or "",
        system=None,
        messages=(Message(role="user", parts=(*images, config.prompt or DESCRIBE)),),
        max_tokens=config.max_tokens,
        temperature=config.temperature,
        top_p=None,
    )
    answer = llm.ask(lent, config, request, schema=config.response_schema)
    data: JSONObject = {
        "operation": config.operation,
        "text": answer.text,
        "finishReason": answer.finish_reason,
        "usage": answer.usage_json(),
        "model": answer.model,
        "provider": answer.provider,
    }
    if config.response_schema is not None:
        data["data"] = answer.value
    return NodeOutput(data=data, usage=answer.usage)


def _generate(node: NodeInput[VisionConfig], lent: Lent) -> NodeOutput:
    config = node.config
    if not config.prompt:
        raise ConfigError("prompt: generate needs to be told what to draw.")
    if not config.model:
        raise ConfigError("model: name one that draws.")
    request = DrawRequest(
        model=config.model,
        prompt=config.prompt,
        count=config.n,
        size=config.size,
        quality=config.quality,
        style=None,
        background=None,
    )
    data, usage = draw(node, lent, config, config, request)
    return NodeOutput(data={"operation": config.operation, **data}, usage=usage)
