"""JSON and server-sent events with services that have no client library here, over the connections of all nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import httpx2

from handlers import network
from handlers.errors import HandlerError, InputError, NodeTimeout, ProviderError, Unreachable
from handlers.llm import failures
from handlers.llm.dialect import Access
from handlers.values import read_json

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024  # pictures and vectors among it
_MAX_REFUSAL_BYTES: Final = 64 * 1024
_MAX_EVENT: Final = 32 * 1024 * 1024  # characters
# The error that a body with an error in it is, by status; None for a body that has none. Status 0: it said all is well.
ErrorReader: TypeAlias = Callable[[Any, int, Mapping[str, str]], HandlerError | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """With one service, about one model. Everything it raises is a HandlerError."""

    access: Access
    model: str
    headers: Mapping[str, str]  # with the key
    read_error: ErrorReader

    def post(self, path: str, **request: Any) -> Any:
        """The JSON that is answered to a POST; *request* as httpx takes it: json or content, params, headers."""
        with self._sent(path, request) as response:
            return self._read_json(response)

    def fetch(self, path: str, **request: Any) -> bytes:
        """The bytes that are answered to a POST."""
        with self._sent(path, request) as response:
            if "json" in response.headers.get("content-type", ""):
                said = self._read_json(response)
                raise failures.unreadable(self.access, self.model, f"the service answered with {str(said)[:200]}")
            return self._read(response)

    def events(self, path: str, **request: Any) -> Iterator[Any]:
        """The JSON of each event that is streamed in answer to a POST."""
        with self._sent(path, request) as response:
            if "event-stream" not in response.headers.get("content-type", ""):
                self._read_json(response)
                raise failures.unreadable(self.access, self.model, "the answer is no stream of events.")
            try:
                for data in _datas(response):
                    yield self._checked(read_json(data), response)
            except ValueError as error:
                raise failures.unreadable(self.access, self.model) from error

    @contextmanager
    def _sent(self, path: str, request: Mapping[str, Any]) -> Iterator[httpx2.Response]:
        """Within it what httpx raises is raised as what it is to a node."""
        headers = {**self.headers, **request.get("headers", {})}
        try:
            built = network.client().build_request(
                "POST", self.access.base_url + path, **{**request, "headers": headers}
            )
            with closing(network.client().send(built, stream=True, follow_redirects=False)) as response:
                if not response.is_success:
                    raise self._refused(response)
                yield response
        except httpx2.TimeoutException as error:
            raise NodeTimeout from error
        except httpx2.DecodingError as error:
            raise failures.unreadable(self.access, self.model, "the answer cannot be unpacked.") from error
        except (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.InvalidURL) as error:
            # What exactly does not fit is left out: it may be the header with the key.
            told = f"a request like this cannot be sent: {type(error).__name__}."
            raise InputError(failures.told(self.access, self.model, told)) from error
        except httpx2.RequestError as error:
            told = str(error) or type(error).__name__
            raise Unreachable(failures.told(self.access, self.model, told)) from error

    def _refused(self, response: httpx2.Response) -> HandlerError:
        status = response.status_code
        try:
            body = read_json(network.read(response, max_bytes=_MAX_REFUSAL_BYTES))
        except (InputError, ValueError):
            body = None
        said = f"{status} {response.reason_phrase}".strip()
        return self.read_error(body, status, response.headers) or failures.refusal(
            self.access, self.model, status=status, said=said, headers=response.headers
        )

    def _read(self, response: httpx2.Response) -> bytes:
        try:
            return network.read(response, max_bytes=MAX_ANSWER_BYTES)
        except InputError as error:
            raise ProviderError(failures.told(self.access, self.model, str(error)), code=error.code) from error

    def _read_json(self, response: httpx2.Response) -> Any:
        try:
            body = read_json(self._read(response))
        except ValueError as error:
            raise failures.unreadable(self.access, self.model) from error
        return self._checked(body, response)

    def _checked(self, body: Any, response: httpx2.Response) -> Any:
        error = self.read_error(body, 0, response.headers)
        if error is not None:
            raise error
        return body


def _datas(response: httpx2.Response) -> Iterator[str]:
    # Source: WHATWG, HTML, "Server-sent events": an event's lines of data are joined; other fields have no use here.
    data: list[str] = []
    length = 0
    for line in response.iter_lines():
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
            length += len(line)
            if length > _MAX_EVENT:
                raise ValueError("an event without end")
        elif not line and data:
            yield "\n".join(data)
            data, length = [], 0
