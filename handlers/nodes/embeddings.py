"""Texts as vectors."""

from __future__ import annotations

from time import monotonic
from typing import Any, Final, Literal

from pydantic import Field, field_validator

from handlers import llm
from handlers.base import Effect, JSONObject, JSONValue, Lane, NodeHandler, NodeInput, NodeOutput
from handlers.errors import ConfigError, InputError
from handlers.llm import AccessFields, Embedded, EmbedRequest, Meter, Name
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_MODELS
from handlers.values import encodable, read_container, text_of

# text-embedding-004, which the existing product has for google, is no more.
MODELS: Final = {"openai": "text-embedding-3-small", "cohere": "embed-english-v3.0", "google": "gemini-embedding-001"}
LARGEST_BATCHES: Final = {"cohere": 96, "google": 100}  # Source: their API references
LARGEST_BATCH: Final = 2048  # Source: OpenAI API reference
MOST_TEXTS: Final = 10_000


class EmbeddingsConfig(AccessFields):
    model: Name = Field(None, description=f"Left out: {', '.join(MODELS.values())} of {', '.join(MODELS)}.")
    input: Any = Field(description="A text, or a list of texts.")
    batch_mode: bool = Field(False, description="Read a text of JSON as a list of texts.")
    batch_size: int = Field(100, ge=1, le=LARGEST_BATCH, description="Texts of one request.")
    task_type: Name = Field(None, description="search_document, search_query, classification, clustering, …")
    input_truncate: Literal["none", "start", "end"] | None = Field(
        None, description="cohere: of a text that is too long."
    )
    dimensions: int | None = Field(None, gt=0, description="Of a vector, where the model can choose.")

    @field_validator("input_truncate", mode="before")
    @classmethod
    def _in_small_letters(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value


@node_type("embeddings", category="ai", title="Embeddings", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_MODELS)
class Embeddings(NodeHandler[EmbeddingsConfig]):
    """Turn texts into vectors that are near each other when their meanings are.

    Output: `{"embeddings", "model", "provider", "metadata"}`: a list of vectors in the order of the texts, one for a
    single text, too. The metadata is `{"dimensions", "inputCount", "tokensUsed", "processingTime"}`, the time in
    milliseconds, the tokens null when the service did not count. Up to 10,000 texts, none of them empty.

    Providers: `openai`, `cohere`, `google`, and others with OpenAI's protocol. `taskType` is known to `cohere` and
    `google`, either's names to both. Keys, limits and errors are those of `llm`.
    """

    Config = EmbeddingsConfig

    def run(self, node: NodeInput[EmbeddingsConfig], lent: Lent) -> NodeOutput:
        config = node.config
        model = config.model or MODELS.get(config.provider)
        if model is None:
            raise ConfigError(f"model: name one of {config.provider} for embeddings.")
        texts = _texts(config.input, is_batch=config.batch_mode)
        started, meter = monotonic(), Meter()
        vectors: list[JSONValue] = []
        size = min(config.batch_size, LARGEST_BATCHES.get(config.provider, LARGEST_BATCH))
        for begin in range(0, len(texts), size):
            request = EmbedRequest(
                model=model,
                texts=texts[begin : begin + size],
                dimensions=config.dimensions,
                task=config.task_type,
                truncate=config.input_truncate,
            )
            embedded = _embed(lent, config, request)
            vectors.extend(list(vector) for vector in embedded.vectors)
            meter.add(embedded.counted, provider=config.provider, model=model)
            lent.progress(len(vectors) / len(texts), f"{len(vectors)} of {len(texts)} texts")
        usage = meter.usage(provider=config.provider, model=model)
        first = vectors[0]
        metadata: JSONObject = {
            "dimensions": len(first) if isinstance(first, list) else 0,
            "inputCount": len(texts),
            "tokensUsed": None if usage is None else usage.total_tokens,
            "processingTime": round((monotonic() - started) * 1000),
        }
        return NodeOutput(
            data={"embeddings": vectors, "model": model, "provider": config.provider, "metadata": metadata}, usage=usage
        )


def _embed(lent: Lent, config: EmbeddingsConfig, request: EmbedRequest) -> Embedded:
    return llm.call(lent, config, request.model, lambda dialect, access: dialect.embed(access, request))


def _texts(value: JSONValue, *, is_batch: bool) -> list[str]:
    if is_batch and isinstance(value, str):
        value = read_container(value)
    texts = [encodable(text_of(text)) for text in (value if isinstance(value, list) else [value])]
    if value is None or not texts:
        raise InputError("input: there is no text.")
    if len(texts) > MOST_TEXTS:
        raise InputError(f"input: {len(texts):,} texts are more than {MOST_TEXTS:,}.")
    empty = next((place for place, text in enumerate(texts) if not text.strip()), None)
    if empty is not None:
        raise InputError(f"input: text {empty} (counting from 0) is empty, and has no meaning to be near to.")
    return texts
