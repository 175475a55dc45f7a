"""Cohere: chat in OpenAI's manner, and vectors in its own, which knows what they are for.

Source: Cohere API reference, "Compatibility API" and "Embed" (v2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from handlers.errors import HandlerError
from handlers.llm import failures
from handlers.llm.dialect import Access
from handlers.llm.dialects.openai import OpenAIDialect
from handlers.llm.exchange import Exchange
from handlers.llm.providers import Provider, register
from handlers.llm.requests import Counted, Embedded, EmbedRequest

_COMPATIBLE: Final = "/compatibility/v1"
_DEFAULT_TASK: Final = "search_document"  # one has to be told
_TASKS: Final = {"retrieval_document": "search_document", "retrieval_query": "search_query"}  # as Google calls them


class CohereDialect(OpenAIDialect):
    def embed(self, access: Access, request: EmbedRequest) -> Embedded:
        def read_error(body: Any, status: int, headers: Mapping[str, str]) -> HandlerError | None:
            match body:
                case {"message": str(said)} if status:
                    return failures.refusal(access, request.model, status=status, said=said, headers=headers)
            return None

        asked: dict[str, Any] = {
            "model": request.model,
            "texts": list(request.texts),
            "input_type": _task(request.task),
            "embedding_types": ["float"],
        }
        if request.truncate:
            asked["truncate"] = request.truncate.upper()
        if request.dimensions:
            asked["output_dimension"] = request.dimensions
        native = replace(access, base_url=access.base_url.removesuffix(_COMPATIBLE))
        headers = {"Authorization": f"Bearer {access.key}"}
        exchange = Exchange(access=native, model=request.model, headers=headers, read_error=read_error)
        answer = exchange.post("/v2/embed", json=asked)
        match answer:
            case {"embeddings": {"float": [*vectors]}} if len(vectors) == len(request.texts):
                return Embedded(vectors=vectors, model=request.model, counted=_counted(answer))
        raise failures.unreadable(access, request.model)


def _task(told: str | None) -> str:
    name = (told or _DEFAULT_TASK).lower()
    return _TASKS.get(name, name)


def _counted(answer: Mapping[str, Any]) -> Counted | None:
    match answer:
        case {"meta": {"billed_units": {"input_tokens": int() | float() as tokens}}}:
            return Counted(prompt=int(tokens), completion=0)
    return None


register(
    Provider(
        name="cohere",
        dialect=CohereDialect(),
        base_url=f"https://api.cohere.ai{_COMPATIBLE}",
        key_variables=("COHERE_API_KEY", "CO_API_KEY"),
        url_variables=("COHERE_BASE_URL",),
        url_suffix=_COMPATIBLE,
    )
)
