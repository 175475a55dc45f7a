"""What a handler needs to run without an engine: `RecordingLent`, and `run` and others around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from mimetypes import guess_type
from typing import Any, Literal
from uuid import UUID

from handlers import Cancelled, ConfigError, InputError, JSONValue, NodeInput, Pause, Resumed
from handlers.paths import clean_path
from handlers.ports import Credential, Remembered, StoredFile
from handlers.registry import load

CATALOGUE = load()
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EXECUTION = UUID("01900000-0000-7000-8000-000000000001")
WORKSPACE = UUID("01900000-0000-7000-8000-000000000002")


class RecordingLent:
    """Lends what the engine lends, keeps what it is told, and is cancelled by `cancel`, from any thread."""

    def __init__(self, *, seconds: float = 30, credentials: Sequence[Credential] = ()) -> None:
        self.seconds = seconds
        self.tokens: list[str] = []
        self.logs: list[tuple[str, str]] = []
        self.told: list[tuple[float, str]] = []  # progress
        self.entries: dict[str, JSONValue] = {}  # metadata
        self.hidden: set[str] = set()
        self.credentials = {credential.id: credential for credential in credentials}
        self.files = MemoryFiles()
        self.limits = CountingLimits()
        self.memory = ListMemory()
        self.cancelled = False
        self._stops: list[Callable[[], None]] = []

    def token(self, text: str) -> None:
        self.check_cancelled()
        self.tokens.append(text)

    def log(self, level: str, message: str) -> None:
        self.logs.append((level, message))

    def progress(self, fraction: float, message: str = "") -> None:
        self.check_cancelled()
        self.told.append((fraction, message))

    def metadata(self, key: str, value: JSONValue, *, how: Literal["set", "append", "increment"] = "set") -> None:
        before = self.entries.get(key)
        match how:
            case "append":
                self.entries[key] = [*(before if isinstance(before, list) else []), value]
            case "increment":
                assert isinstance(value, int | float)
                self.entries[key] = value + before if isinstance(before, int | float) else value
            case "set":
                self.entries[key] = value

    def hide(self, *secrets: str) -> None:
        self.hidden |= set(secrets)

    def credential(self, credential_id: str) -> Credential:
        found = self.credentials.get(credential_id)
        if found is None:
            raise ConfigError(f"There is no credential {credential_id!r}.", code="credential_missing")
        self.hide(*found.values.values())
        return found

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise Cancelled

    def on_cancel(self, stop: Callable[[], None]) -> None:
        self._stops.append(stop)
        if self.cancelled:
            stop()

    def remaining(self) -> float:
        return self.seconds

    def cancel(self) -> None:
        self.cancelled = True
        for stop in self._stops:
            stop()


class MemoryFiles:
    """`handlers.ports.Files` in a dict: path → content and type."""

    def __init__(self) -> None:
        self.stored: dict[str, tuple[bytes, str]] = {}

    def read(self, path: str, *, max_bytes: int) -> bytes:
        clean = clean_path(path)
        if clean not in self.stored:
            raise InputError(f"There is no file {clean!r}.", code="file_missing")
        content = self.stored[clean][0]
        if len(content) > max_bytes:
            raise InputError(f"{clean!r} has {len(content)} bytes.", code="file_too_large")
        return content

    def write(
        self, path: str, content: bytes, *, content_type: str | None = None, overwrite: bool = False
    ) -> StoredFile:
        clean = clean_path(path)
        if clean in self.stored and not overwrite:
            raise InputError(f"There is a file {clean!r}.", code="file_exists")
        self.stored[clean] = content, content_type or guess_type(clean)[0] or "application/octet-stream"
        return StoredFile(path=clean, size=len(content), content_type=self.stored[clean][1])

    def stat(self, path: str) -> StoredFile | None:
        clean = clean_path(path)
        if clean not in self.stored:
            return None
        content, content_type = self.stored[clean]
        return StoredFile(path=clean, size=len(content), content_type=content_type)


class CountingLimits:
    """`handlers.ports.Limits` without limits: keeps what was asked for."""

    def __init__(self) -> None:
        self.slots: list[tuple[str, int | None, int | None]] = []
        self.breakers: list[str] = []

    @contextmanager
    def slot(
        self, key: str, *, at_once: int | None, per_minute: int | None, patience: float | None = None
    ) -> Iterator[None]:
        self.slots.append((key, at_once, per_minute))
        yield

    @contextmanager
    def breaker(self, key: str) -> Iterator[None]:
        self.breakers.append(key)
        yield


class ListMemory:
    """`handlers.ports.Memory` without bounds."""

    def __init__(self) -> None:
        self.entries: dict[str, Remembered] = {}

    def store(self, entry: Remembered) -> None:
        self.entries[entry.key] = entry

    def all(self) -> Sequence[Remembered]:
        return list(self.entries.values())


def attempt(node_type: str, config: Mapping[str, Any], inputs: Mapping[str, Any] | None = None) -> NodeInput[Any]:
    """The first attempt of a node of that type whose configuration has been resolved to *config*."""
    return NodeInput(
        config=CATALOGUE[node_type].handler.Config.model_validate(config),
        inputs=dict(inputs or {}),
        execution_id=EXECUTION,
        workspace_id=WORKSPACE,
        node_id="node",
        scope="",
        attempt=1,
        now=NOW,
    )


def pause(node_type: str, config: Mapping[str, Any]) -> Pause:
    """What a node of that type waits for."""
    signal = run(node_type, config).signal
    assert isinstance(signal, Pause)
    return signal


def resume(
    node_type: str, config: Mapping[str, Any], answer: Any, *, votes: Sequence[Any] = (), after: timedelta = timedelta()
) -> Any:
    """The data of a node of that type once *answer* has come, *after* some time."""
    resumed = Resumed(
        node_id="node",
        scope="",
        state=pause(node_type, config).state,
        answer=answer,
        votes=tuple(votes),
        paused_at=NOW,
        now=NOW + after,
    )
    return CATALOGUE[node_type].handler.resume(resumed).data


def run(
    node_type: str,
    config: Mapping[str, Any],
    *,
    inputs: Mapping[str, Any] | None = None,
    lent: RecordingLent | None = None,
) -> Any:
    """The NodeOutput of one attempt, as Any, since tests look into its data; what it raises comes through.

    Of a type that declares the shape of its output, it has that shape.
    """
    handler = CATALOGUE[node_type].handler
    output = handler.run(attempt(node_type, config, inputs), lent or RecordingLent())
    if handler.Output is not None and output.signal is None:
        handler.Output.model_validate(output.data)
    return output
