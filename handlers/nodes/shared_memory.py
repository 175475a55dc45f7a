"""What the nodes of a run remember for each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field

from handlers import llm
from handlers.base import Effect, JSONObject, Lane, NodeHandler, NodeInput, NodeOutput, Usage
from handlers.errors import ConfigError, InputError
from handlers.llm import AccessFields, EmbedRequest, Meter
from handlers.ports import LONGEST_KEY, Lent, Remembered
from handlers.ranking import cosine, rank
from handlers.registry import node_type
from handlers.values import Text, text_of

# Shorter texts, such as a number or a name, are found by their key and words; what they mean is anybody's guess.
MIN_EMBEDDED_LENGTH: Final = 51  # characters
# What every service takes: the usual limit is some 8,000 tokens, and there are scripts of a token a character.
MAX_EMBEDDED_LENGTH: Final = 8_000  # characters
_NEEDS_MODEL: Final = (
    "Semantic search needs a model for embeddings: set model, and with it provider and connectionId; or set"
    " enableSemanticSearch to false, to search by words."
)


class SharedMemoryConfig(AccessFields):
    operation: Literal["store", "search", "get", "set"] = Field(description="set is another word for store.")
    key: Text | None = Field(None, description=f"store, get: what the value is called, up to {LONGEST_KEY} characters.")
    value: Any = Field(None, description="store: any value, usually a {{reference}}, which keeps its type.")
    search_query: Text | None = Field(None, description="search: a question, or words.")
    top_k: int = Field(5, ge=1, le=50, description="search: the most results.")
    similarity_threshold: float = Field(0.7, ge=0, le=1, description="Semantic search: the least similarity.")
    enable_semantic_search: bool | None = Field(
        None, description="Search by meaning; left out, it is done where there is a model for embeddings."
    )
    model: str | None = Field(None, description="Of embeddings, such as text-embedding-3-small.")

    @property
    def embedder(self) -> str | None:
        """The model to make embeddings with; None: words count. Raises ConfigError when there has to be one."""
        if self.enable_semantic_search and not self.model:
            raise ConfigError(_NEEDS_MODEL, code="embedding_model_missing")
        return self.model if self.enable_semantic_search is not False else None


@node_type(
    "shared-memory",
    category="logic",
    title="Shared memory",
    effect=Effect.EFFECT,
    lane=Lane.IO,
    aliases=("sharedMemory",),
)
class SharedMemory(NodeHandler[SharedMemoryConfig]):
    """Store a value for the other nodes of the run, or look for what they have stored.

    `store` sets the value of a key; one that is there is replaced. Output: `{"operation", "key", "value", "indexed"}`;
    `indexed` says whether it can be found by its meaning: it can with a model for embeddings, and when it is a text of
    more than 50 characters, of which the first 8,000 count.

    `get` has the value of a key as its output, null when there is none.

    `search` finds at most `topK` entries for `searchQuery`, the best first. Output: `{"operation", "query", "method",
    "results": [{"key", "value", "similarity"}], "count", "topResult"}`; `topResult` is null when there is none. The
    `method` is `semantic` with a `model`: the cosine of the embeddings, from `similarityThreshold` on, among the
    entries that were stored with the same model. Otherwise it is `text`: the words that key and value share with the
    query (BM25), without a threshold; such a similarity is a measure of rank and not of meaning.

    A run remembers 1,000 entries of up to 100 KB, 10 MB in all (`memory_full`, `value_too_large`). A run that takes
    over from another has what the nodes stored that it keeps. A child run has a memory of its own.
    """

    Config = SharedMemoryConfig

    def run(self, node: NodeInput[SharedMemoryConfig], lent: Lent) -> NodeOutput:
        lent.check_cancelled()
        match node.config.operation:
            case "search":
                return _search(node.config, lent)
            case "get":
                return _get(node.config, lent)
        return _store(node.config, lent)

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        operation, wrong = config.get("operation"), []
        if not isinstance(operation, str):
            return []  # the field types tell
        if operation in {"store", "set", "get"} and not config.get("key"):
            wrong.append(("key", f"{operation} needs a key."))
        if operation in {"store", "set"} and "value" not in config:
            wrong.append(("value", f"{operation} needs a value."))
        if operation == "search" and not config.get("searchQuery"):
            wrong.append(("searchQuery", "search needs a searchQuery."))
        if config.get("enableSemanticSearch") is True and not config.get("model"):
            wrong.append(("model", _NEEDS_MODEL))
        return wrong


def _get(config: SharedMemoryConfig, lent: Lent) -> NodeOutput:
    key = _key(config)
    return NodeOutput(data=next((entry.value for entry in lent.memory.all() if entry.key == key), None))


def _key(config: SharedMemoryConfig) -> str:
    if not config.key:
        raise InputError(f"key: {config.operation} needs a key, and this one is empty.", code="invalid_key")
    return config.key


def _store(config: SharedMemoryConfig, lent: Lent) -> NodeOutput:
    key = _key(config)
    model, text, vector, usage = config.embedder, text_of(config.value), None, None
    if model is not None and len(text) >= MIN_EMBEDDED_LENGTH:
        vector, usage = _embed(config, model, text, lent)
    lent.memory.store(
        Remembered(
            key=key,
            value=config.value,
            embedding=vector,
            embedded_by=None if vector is None else _name(config, model),
        )
    )
    data: JSONObject = {
        "operation": "store",
        "key": key,
        "value": config.value,
        "indexed": vector is not None,
    }
    return NodeOutput(data=data, usage=usage)


def _search(config: SharedMemoryConfig, lent: Lent) -> NodeOutput:
    query = (config.search_query or "").strip()
    if not query:
        raise InputError("searchQuery: there is nothing to search for.", code="invalid_input")
    model, entries, usage = config.embedder, list(lent.memory.all()), None
    if model is None:
        scores = rank(query, [f"{entry.key} {text_of(entry.value)}" for entry in entries])
        found = [(score, entry) for score, entry in zip(scores, entries, strict=True) if score > 0]
    else:
        vector, usage = _embed(config, model, query, lent)
        found = [
            (score, entry)
            for entry in entries
            if entry.embedding is not None and entry.embedded_by == _name(config, model)
            if (score := cosine(vector, entry.embedding)) >= config.similarity_threshold
        ]
    found.sort(key=lambda pair: pair[0], reverse=True)  # those of one score stay in the order in which they were stored
    results: list[JSONObject] = [
        {"key": entry.key, "value": entry.value, "similarity": round(score, 6)}
        for score, entry in found[: config.top_k]
    ]
    data: JSONObject = {
        "operation": "search",
        "query": query,
        "method": "text" if model is None else "semantic",
        "results": [*results],
        "count": len(results),
        "topResult": results[0] if results else None,
    }
    return NodeOutput(data=data, usage=usage)


def _embed(config: SharedMemoryConfig, model: str, text: str, lent: Lent) -> tuple[Sequence[float], Usage | None]:
    request = EmbedRequest(model=model, texts=[text[:MAX_EMBEDDED_LENGTH]])
    embedded = llm.call(lent, config, model, lambda dialect, access: dialect.embed(access, request))
    meter = Meter()
    meter.add(embedded.counted, provider=config.provider, model=embedded.model)
    return embedded.vectors[0], meter.usage(provider=config.provider, model=embedded.model)


def _name(config: SharedMemoryConfig, model: str | None) -> str:
    """As configured: what the service calls the model may change from day to day."""
    return f"{config.provider}/{model}"
