"""Bases of the parameters of operations whose body or answer is something other than an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from handlers import web
from handlers.base import JSONObject, JSONValue
from handlers.integrations.answers import Answer
from handlers.integrations.files import FilePath, read_file, write_file
from handlers.integrations.parameters import Errand, Parameters, Unsent


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A mark of a field that is a part of a multipart body."""

    name: str  # as the service calls it
    is_file: bool = False  # its values are paths of files, whose content is sent


class WholeBody(Parameters):
    """The body is one value: the field `body`, which operations have as they need it."""

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del drawn, errand
        value: JSONValue = self.model_dump(mode="json").get("body")
        return {} if value is None else value


class FileBody(Parameters):
    """The body is the content of a file."""

    file: Annotated[FilePath, Unsent] = Field(description="The file to send: its path in the workspace.")

    def make_content(self, errand: Errand) -> tuple[bytes, str]:
        content, content_type, _ = read_file(self.file, errand)
        return content, content_type


class PartsBody(Parameters):
    """The body is put together of the fields that are marked as a `Part`."""

    def make_content(self, errand: Errand) -> tuple[bytes, str] | None:
        values = self.model_dump(mode="json", exclude_none=True)
        parts: dict[bool, JSONObject] = {False: {}, True: {}}
        for field, info in type(self).model_fields.items():
            for part in (mark for mark in info.metadata if isinstance(mark, Part)):
                if field in values:
                    parts[part.is_file][part.name] = values[field]
        body = web.encode_parts(parts[False], parts[True], errand.lent.files, key=errand.idempotency_key)
        return None if body is None else (body.content, body.content_type)


class ToFile(Parameters):
    """The answer is stored as a file of the workspace, and handed on as one."""

    save_as: Annotated[str, Unsent] = Field(description="The path in the workspace that the answer is stored under.")

    def make_result(self, answer: Answer, errand: Errand) -> JSONValue:
        content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        return write_file(self.save_as, answer.content, errand, content_type=content_type or None)
