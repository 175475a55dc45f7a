"""Answers that are to fit a JSON Schema: told to the model, read from what it says, asked for once more when wrong."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator

from handlers.base import JSONObject, JSONValue
from handlers.llm.requests import ChatRequest, Message
from handlers.schemas import TooIntricate, errors_of, find_fault
from handlers.values import read_json

_MOST_TOLD: Final = 10  # errors
_LONGEST_TOLD: Final = 300  # characters of one
# Some models wrap what they say as one would for people.
_FENCED: Final = re.compile(r"```(?:json)?[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL)


def _schema(value: Any) -> Any:
    """A schema that was written as text is read; what cannot be used is refused with the reason."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = read_json(value)
        except ValueError as error:
            raise ValueError(f"The schema is no JSON: {error}.") from error
    if fault := find_fault(value):
        raise ValueError(fault)
    return value


AnswerSchema: TypeAlias = Annotated[dict[str, Any] | None, BeforeValidator(_schema)]


def instructed(request: ChatRequest) -> ChatRequest:
    """*request* with its schema told to the model in words, for who is not held to it by its service."""
    if request.schema is None:
        return request
    text = json.dumps(request.schema, ensure_ascii=False)
    told = f"Answer with one JSON value and nothing else. It has to fit this JSON Schema:\n{text}"
    return replace(request, schema=None, system=f"{request.system}\n\n{told}" if request.system else told)


def read_answer(schema: JSONObject, text: str) -> tuple[JSONValue, list[str]]:
    """The value that *text* is the JSON of, and what is wrong with it, in sentences; none when it fits."""
    fenced = _FENCED.search(text)
    try:
        value = read_json((fenced[1] if fenced else text).strip())
    except ValueError as error:
        return None, [f"It is no JSON: {error}."]
    try:
        errors = errors_of(schema, value)
    except TooIntricate:
        return None, ["It is too intricate to be checked."]
    return value, [_sentence(error) for error in errors[:_MOST_TOLD]]


def repairing(request: ChatRequest, text: str, wrong: list[str]) -> ChatRequest:
    """*request* once more, with the answer that did not fit and why."""
    told = "That does not fit the JSON Schema:\n" + "\n".join(f"- {sentence}" for sentence in wrong)
    told += "\nAnswer again, with the corrected JSON and nothing else."
    said = Message(role="assistant", parts=(text or "(nothing)",))
    return replace(request, messages=(*request.messages, said, Message(role="user", parts=(told,))))


def _sentence(error: Any) -> str:
    place = ".".join(str(part) for part in error.absolute_path)
    message = error.message[:_LONGEST_TOLD]
    return f"{place}: {message}" if place else message
