"""A language model's answer to a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices, Field

from handlers import llm
from handlers.base import Effect, JSONObject, Lane, NodeHandler, NodeInput, NodeOutput
from handlers.llm import AnswerSchema, ChatRequest, Message, ModelFields
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_MODELS
from handlers.values import Text


class LlmConfig(ModelFields):
    system_prompt: Text | None = Field(None, description="What the model is told before the prompt.")
    prompt: Text = Field(min_length=1)
    temperature: float = Field(0.7, ge=0, le=2)
    max_tokens: int = Field(1000, gt=0, description="The longest answer, in tokens.")
    top_p: float = Field(1, ge=0, le=1)
    enable_thinking: bool = Field(False, description="Let the model think first, where it can.")
    thinking_budget: int = Field(4096, ge=1024, le=32768, description="The longest thinking, in tokens.")
    response_schema: AnswerSchema = Field(
        None,
        validation_alias=AliasChoices("responseSchema", "outputSchema"),
        description="JSON Schema of the answer, which then is JSON.",
    )


@node_type("llm", category="ai", title="Language model", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_MODELS)
class Llm(NodeHandler[LlmConfig]):
    """Ask a language model. The answer streams to whoever watches the run, word by word.

    Output: `{"text", "finishReason", "usage", "model", "provider"}`. A `finishReason` other than `stop` says why the
    text is not whole: `length` for one cut at `maxTokens`, `content_filter` for one withheld. The usage is
    `{"promptTokens", "completionTokens", "totalTokens"}`, with `thinkingTokens`, `cachedTokens` and `costUsd` where
    they are known, or null when the service did not count. With `enableThinking` there is `thinking`, where the service
    shows it; the budget comes on top of `maxTokens`.

    Providers: `openai`, `anthropic`, `google`, `azure`, `xai`, `mistral`, `groq`, `cohere`, `openrouter`,
    `huggingface`, `ollama`, `vllm`, and `openai-compatible` for any other service at `baseUrl`. The key is that of the
    connection (`connectionId`), or `apiKey` such as `{{env.OPENAI_KEY}}`, or stands in the environment of the workers:
    `OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, `GEMINI_API_KEY`, `AZURE_OPENAI_API_KEY`, `HF_TOKEN`, otherwise
    `<PROVIDER>_API_KEY`; an address that differs from the provider's in `<PROVIDER>_BASE_URL`. The environment's key
    goes to no other address than the environment's.

    With `responseSchema` (a JSON Schema) the output also has `data`, a value that fits it. An answer that does not is
    asked for once more with what was wrong; then the node fails with `invalid_structured_output`.

    `models` are asked in their order when the one before fails, is busy, silent (`firstTokenTimeout`, `idleTimeout`) or
    its key refused: a name, `provider/name`, or `{"provider", "model", "connectionId"}`. Of `openrouter`, `groq`,
    `huggingface`, `vllm`, `ollama` and `openai-compatible` names have slashes themselves, so write other providers as
    objects there. `provider` and `model` of the output tell who answered, `failedModels` who did not; text that was
    streamed before a failure is replaced by the output.

    Errors: `missing_credentials`, `credentials_refused`, `insufficient_quota`, `rate_limited`, `unreachable`,
    `first_token_timeout`, `idle_timeout`, `timeout`, `invalid_response`, `circuit_open` while the service is given a
    rest, `models_exhausted` when none of several answered, `provider_error`.
    """

    Config = LlmConfig

    def run(self, node: NodeInput[LlmConfig], lent: Lent) -> NodeOutput:
        config = node.config
        request = ChatRequest(
            model=config.model or "",
            system=config.system_prompt,
            messages=(Message(role="user", parts=(config.prompt,)),),
            max_tokens=config.max_tokens,
            temperature=config.temperature,
            top_p=config.top_p,
            thinking_budget=config.thinking_budget if config.enable_thinking else None,
        )
        answer = llm.ask(lent, config, request, schema=config.response_schema)
        if answer.finish_reason == "length":
            lent.log("warning", f"The answer was cut at {config.max_tokens} tokens (maxTokens).")
        if answer.finish_reason == "content_filter":
            lent.log("warning", "The service withheld the answer, or a part of it.")
        data: JSONObject = {
            "text": answer.text,
            "finishReason": answer.finish_reason,
            "usage": answer.usage_json(),
            "model": answer.model,
            "provider": answer.provider,
        }
        if answer.thinking:
            data["thinking"] = answer.thinking
        if config.response_schema is not None:
            data["data"] = answer.value
        if answer.failed:
            data["failedModels"] = list(answer.failed)
        return NodeOutput(data=data, usage=answer.usage)

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        return list(llm.check_model(config))
