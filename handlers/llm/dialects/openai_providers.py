"""Who speaks OpenAI's protocol."""

from __future__ import annotations

from typing import Final

from handlers.llm.dialects.openai import OPENAI_URL, OpenAIDialect
from handlers.llm.providers import Provider, register

DIALECT: Final = OpenAIDialect()


def _provider(
    name: str,
    base_url: str | None,
    *key_variables: str,
    url_variables: tuple[str, ...] = (),
    url_suffix: str = "",
    needs_key: bool = True,
    slashes: bool = False,
    dialect: OpenAIDialect = DIALECT,
) -> Provider:
    prefix = name.upper().replace("-", "_")
    return Provider(
        name=name,
        dialect=dialect,
        base_url=base_url,
        key_variables=key_variables or (f"{prefix}_API_KEY",),
        url_variables=url_variables or (f"{prefix}_BASE_URL",),
        url_suffix=url_suffix,
        needs_key=needs_key,
        slashes=slashes,
    )


register(
    _provider("openai", OPENAI_URL),
    # Source: Azure OpenAI, "API version lifecycle": the v1 API is OpenAI's own.
    _provider(
        "azure",
        None,
        "AZURE_OPENAI_API_KEY",
        url_variables=("AZURE_OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT"),
        url_suffix="/openai/v1",
    ),
    _provider("xai", "https://api.x.ai/v1"),
    _provider("mistral", "https://api.mistral.ai/v1", dialect=OpenAIDialect(counts_unasked=True)),
    _provider("groq", "https://api.groq.com/openai/v1", slashes=True),
    _provider("openrouter", "https://openrouter.ai/api/v1", slashes=True),
    _provider("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN", "HUGGINGFACE_API_KEY", slashes=True),
    _provider("ollama", "http://localhost:11434/v1", needs_key=False, slashes=True),
    _provider("vllm", "http://localhost:8000/v1", needs_key=False, slashes=True),
    _provider("openai-compatible", None, needs_key=False, slashes=True),
)
