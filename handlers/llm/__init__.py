"""Language models and their kin: who offers them, how each is spoken to, and what all calls of them have in common.

    answer = ask(lent, fields, ChatRequest(…), schema=schema)  # streams, falls back, repairs, counts

A provider is a row of a table (`providers`) and speaks a dialect; a dialect is one module in `dialects`, which
registers its providers itself. Most services speak OpenAI's, through OpenAI's client library. Anthropic and Google are
spoken to natively, as their endpoints in OpenAI's manner leave out thinking, schemas or sound. Everything goes over
`handlers.network`, so that every wait ends with the run.
"""

from handlers.llm.asking import Answer, ask, usage_json
from handlers.llm.calling import calling, reach
from handlers.llm.chat import Meter
from handlers.llm.dialect import Access, Dialect
from handlers.llm.fields import AccessFields, Choice, ModelEntry, ModelFields, check_model
from handlers.llm.prices import BadPrices
from handlers.llm.prices import configure as use_prices
from handlers.llm.providers import Provider, known, provider_named, register
from handlers.llm.requests import (
    ChatRequest,
    Counted,
    Delta,
    Drawn,
    DrawRequest,
    Embedded,
    EmbedRequest,
    Media,
    Message,
    Part,
    SpeakRequest,
    Transcribed,
    TranscribeRequest,
)
from handlers.llm.schema import AnswerSchema

__all__ = [
    "Access",
    "AccessFields",
    "Answer",
    "AnswerSchema",
    "BadPrices",
    "ChatRequest",
    "Choice",
    "Counted",
    "Delta",
    "Dialect",
    "DrawRequest",
    "Drawn",
    "EmbedRequest",
    "Embedded",
    "Media",
    "Message",
    "Meter",
    "ModelEntry",
    "ModelFields",
    "Part",
    "Provider",
    "SpeakRequest",
    "TranscribeRequest",
    "Transcribed",
    "ask",
    "calling",
    "check_model",
    "known",
    "provider_named",
    "reach",
    "register",
    "usage_json",
    "use_prices",
]
