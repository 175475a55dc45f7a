"""Language models and their kin: who offers them, how each is spoken to, and what all calls of them have in common.

    answer = ask(lent, fields, ChatRequest(…), schema=schema)  # streams, falls back, repairs, counts

A provider is a row of a table (`providers`) and speaks a dialect; a dialect is one module in `dialects`, which
registers its providers itself. Most services speak OpenAI's, through OpenAI's client library. Anthropic and Google are
spoken to natively, as their endpoints in OpenAI's manner leave out thinking, schemas or sound. Everything goes over
`handlers.network`, so that every wait ends with the run.
"""

from handlers.llm.asking import Answer, ask, usage_json
from handlers.llm.calling import call
from handlers.llm.chat import Meter
from handlers.llm.dialect import Access, Dialect
from handlers.llm.drawing import draw
from handlers.llm.fields import BLANK, AccessFields, Choice, ModelEntry, ModelFields, Name, check_model
from handlers.llm.hearing import HEARING_MODELS, TranscriptFormat, hearing_model, subtitles, transcribe
from handlers.llm.media import MediaFields, hand_over, read_audio, read_image
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
from handlers.llm.speaking import SPEAKING_MODELS, speak, speaking_model

__all__ = [
    "BLANK",
    "HEARING_MODELS",
    "SPEAKING_MODELS",
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
    "MediaFields",
    "Message",
    "Meter",
    "ModelEntry",
    "ModelFields",
    "Name",
    "Part",
    "Provider",
    "SpeakRequest",
    "TranscribeRequest",
    "Transcribed",
    "TranscriptFormat",
    "ask",
    "call",
    "check_model",
    "draw",
    "hand_over",
    "hearing_model",
    "known",
    "provider_named",
    "read_audio",
    "read_image",
    "register",
    "speak",
    "speaking_model",
    "subtitles",
    "transcribe",
    "usage_json",
    "use_prices",
]
