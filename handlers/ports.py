"""What the engine lends a handler for one attempt, as protocols: a handler can be tested with a few lines of fake."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    from handlers.base import JSONObject, JSONValue


class Interruptible(Protocol):
    """Work that has so much time, and that somebody may no longer want."""

    def check_cancelled(self) -> None:
        """Raise Cancelled when the run no longer wants this attempt, NodeTimeout when its time is up."""

    def on_cancel(self, stop: Callable[[], None]) -> None:
        """Call *stop*, from another thread, as soon as `check_cancelled` would raise: to close a socket.

        Called at once when that is so already. *stop* may be called more than once, and after `run` has returned.
        """

    def remaining(self) -> float:
        """Seconds left of the attempt's time limit; bounds for the handler's own timeouts."""


class Lent(Interruptible, Protocol):
    """Handed to `NodeHandler.run`. Every method may be called from the thread that runs the node."""

    def token(self, text: str) -> None:
        """Stream a piece of text to whoever watches. Droppable: the output carries the whole text.

        Raises Cancelled when the run has been cancelled, so that a stream ends with it.
        """

    def progress(self, fraction: float, message: str = "") -> None:
        """Tell whoever watches how far the attempt is, 0 to 1. Droppable. Raises as `token` does."""

    def metadata(self, key: str, value: JSONValue, *, how: Literal["set", "append", "increment"] = "set") -> None:
        """Set one entry of the run's metadata, which pages and the API show beside the run. The last one stays.

        Or append *value* to its list, or add *value* to its number: what is none yet begins with it. Nodes that do so
        at the same time do not overwrite each other. Kept at once, whatever comes of the attempt: another one appends
        or adds again. Raises InputError: `metadata_full` above 100 entries, `metadata_too_large` above 16,384
        characters of JSON, or 128 of the key, `invalid_metadata` for an increment by what is no number.
        """

    def log(self, level: str, message: str) -> None:
        """Leave a line with the node run. *level* is debug, info, warning or error."""

    def hide(self, *secrets: str) -> None:
        """Replace these by `•••` in all that is streamed, logged, stored and told of the attempt from now on."""

    def credential(self, credential_id: str) -> Credential:
        """The credential of this workspace with that id, refreshed if it had run out; its secrets are hidden.

        Raises ConfigError, with code `credential_missing` when this workspace has none with that id.
        """

    @property
    def files(self) -> Files:
        """The files of the run's workspace."""

    @property
    def limits(self) -> Limits:
        """What all workers together may do at a time."""

    @property
    def memory(self) -> Memory:
        """What the nodes of this run remember for each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A key to somebody else's service. Its values are secrets: they stand in no message and no output."""

    id: str
    kind: str  # as `/credentials/kinds` lists them: api_key, bearer, basic, oauth2, database, smtp, …
    name: str  # what its owner calls it, for messages
    values: Mapping[str, str]  # by the fields of its kind; of oauth2 at least `access_token`

    def __repr__(self) -> str:  # the generated one would tell the values
        return f"Credential(id={self.id!r}, kind={self.kind!r}, name={self.name!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of the workspace."""

    path: str  # relative, with `/`, and without `.` and `..`
    size: int  # bytes
    content_type: str

    def to_json(self) -> JSONObject:
        """How node outputs refer to a file."""
        return {
            "path": self.path,
            "name": self.path.rpartition("/")[2],
            "size": self.size,
            "contentType": self.content_type,
        }


class Files(Protocol):
    """Files by path, each workspace its own. Every method raises InputError for a path that leads elsewhere."""

    def read(self, path: str, *, max_bytes: int) -> bytes:
        """The content. Raises InputError (`file_missing`, `file_too_large`), ProviderError when the storage is away."""

    def write(
        self, path: str, content: bytes, *, content_type: str | None = None, overwrite: bool = False
    ) -> StoredFile:
        """Store *content*, for good when this returns; the type is guessed from the name if None.

        Raises InputError with code `file_exists` when there is one already and it may not be overwritten.
        """

    def stat(self, path: str) -> StoredFile | None:
        """What is known of a file; None when there is none."""


class Limits(Protocol):
    """Bounds that all workers of the site share."""

    def slot(
        self, key: str, *, at_once: int | None, per_minute: int | None, patience: float | None = None
    ) -> AbstractContextManager[None]:
        """Hold one of *at_once* places of *key*, of which *per_minute* may be taken; waits for one.

        A place whose worker died is free again within a minute. Raises RateLimited when there is none within *patience*
        seconds, or for as long as the attempt may take; Cancelled as `Lent.check_cancelled` does.
        """

    def breaker(self, key: str) -> AbstractContextManager[None]:
        """Around calls of a service that may be down: after several failures in a row, of any worker, none is tried.

        Counts ProviderErrors that are retryable and no RateLimited. Raises ProviderError with code `circuit_open`,
        retryable and with `retry_after`, while the circuit is open; one call is let through to try after that.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """One entry of the memory that the nodes of a run share."""

    key: str
    value: JSONValue
    embedding: Sequence[float] | None = None
    embedded_by: str | None = None  # the model it is of: those of two models have nothing in common


LONGEST_KEY: Final = 256  # characters


class Memory(Protocol):
    """Entries by key, of one run. Bounded: 1,000 entries, 100 KB each as JSON, 10 MB in all."""

    def store(self, entry: Remembered) -> None:
        """Set an entry; one of the same key is replaced.

        Raises InputError: `memory_full`, `value_too_large`, and `invalid_key` for one that is empty, holds a NUL or is
        longer than LONGEST_KEY.
        """

    def all(self) -> Sequence[Remembered]:
        """In the order in which their keys were first stored."""
