"""What comes back: an answer as data, and the error that it is to those who take its status for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias

import httpx2

from handlers import network
from handlers.base import JSONObject, JSONValue, NodeInput, NodeOutput
from handlers.errors import RETRYABLE_STATUSES, ProviderError, RateLimited
from handlers.ports import Lent, StoredFile
from handlers.run_files import file_name, path_in_run
from handlers.values import read_json, text_of

ResponseType: TypeAlias = Literal["auto", "json", "text", "binary"]
MAX_TOLD_CHARACTERS: Final = 2_000  # of an answer that is told in an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    response: httpx2.Response
    data: JSONValue
    milliseconds: int

    def to_json(self) -> JSONObject:
        return {
            "status": self.response.status_code,
            "statusText": self.response.reason_phrase,
            "headers": dict(self.response.headers),
            "data": self.data,
            "responseTime": self.milliseconds,
        }


def read_as(
    kind: ResponseType, response: httpx2.Response, content: bytes, *, node: NodeInput[Any], lent: Lent
) -> JSONValue:
    """*content* as JSON or text; as a stored file if it is neither, or is to be binary.

    What an answer says that is no success is read by its type, whatever *kind* says: an error page is seldom what was
    asked for. Raises ProviderError when it has to be JSON and is not.
    """
    if not response.is_success:
        kind = "auto"
    match kind:
        case "binary":
            return store(response, content, node=node, lent=lent).to_json()
        case "text":
            return network.as_text(response, content)
        case "json":
            try:
                return read_json(content) if content else None  # as 204 has it
            except ValueError as error:
                raise ProviderError(f"The answer is not JSON: {error}.", code="invalid_response") from error
    try:
        return network.decode(response, content, lent)
    except network.BinaryAnswer:
        return store(response, content, node=node, lent=lent).to_json()


def store(
    response: httpx2.Response, content: bytes, *, node: NodeInput[Any], lent: Lent, name: str | None = None
) -> StoredFile:
    """Keep *content* as a file of the run, under *name* or what it is called. Another attempt writes the same file."""
    content_type = network.content_type(response)
    chosen = file_name(name or suggested_name(response), content_type=content_type)
    return lent.files.write(path_in_run(node, chosen), content, content_type=content_type or None, overwrite=True)


def suggested_name(response: httpx2.Response) -> str:
    """What the server calls the file, or the last part of its address. Not to be trusted: see `file_name`."""
    message = Message()
    message["Content-Disposition"] = response.headers.get("content-disposition", "")
    try:
        told = message.get_filename()
    except (TypeError, ValueError, LookupError):  # the library stumbles over parts of a name that do not fit together
        told = None
    return told or response.url.path.rstrip("/").rpartition("/")[2]


def may_pass(response: httpx2.Response) -> bool:
    """Whether another attempt may get another answer."""
    return response.status_code in RETRYABLE_STATUSES


def refusal(answer: Answer, *, subject: str, is_output: bool) -> ProviderError:
    """The error that an answer is; it brings the answer along as output where that *is_output* after all attempts."""
    output = NodeOutput(data=answer.to_json()) if is_output else None
    return failed(answer.response, subject=subject, said=text_of(answer.data), output=output)


def failed(
    response: httpx2.Response, *, subject: str, said: str | None = None, output: NodeOutput | None = None
) -> ProviderError:
    """The error that an answer is whose status is no success. *said* is its content, where that has been read."""
    kind = RateLimited if response.status_code == HTTPStatus.TOO_MANY_REQUESTS else ProviderError
    details: JSONObject = {"status": response.status_code}
    if said is not None:
        details |= {"body": said[:MAX_TOLD_CHARACTERS], "cut": len(said) > MAX_TOLD_CHARACTERS}
    return kind(
        f"{subject} answered {response.status_code} {response.reason_phrase}".rstrip() + ".",
        status=response.status_code,
        retryable=may_pass(response),
        retry_after=network.retry_after(response.headers, now=datetime.now(UTC)),
        details=details,
        output=output,
    )


def subject_of(request: httpx2.Request) -> str:
    """The request as errors name it: without its query, in which keys stand."""
    return f"{request.method} {request.url.copy_with(query=None, fragment=None, userinfo=b'')}"
