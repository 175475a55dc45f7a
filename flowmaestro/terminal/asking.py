"""What a paused run asks is put to whoever sits at the terminal; where nobody does, it is said how to answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from shlex import quote
from typing import Any, Final, Protocol, TypeAlias

from rich.console import Console

from executions.core.statuses import NodeStatus, PauseReason
from flowmaestro.terminal.client import ApiError, Client
from flowmaestro.terminal.glyphs import MARKS, awaited
from flowmaestro.terminal.progress import RunProgress
from handlers import JSONValue, PauseKind

LOOK_SECONDS: Final = 2.0  # a run within it may ask again without an event of this one
Asked: TypeAlias = "dict[str, Any]"  # of `waiting_for`: executions.serializers.WaitingForSerializer

_AGAIN: Final = frozenset({"invalid_answer", "unreachable"})  # refusals after which the same question stands
_WORDS: Final = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}
_OF_SCHEMA: Final = {"string": "text", "number": "number", "integer": "number", "boolean": "boolean"}
_HINTS: Final = {"text": "text", "number": "a number", "boolean": "y or n", "json": "JSON"}
_SIGN, _STYLE = MARKS[NodeStatus.WAITING]


class Aside(Protocol):
    def aside(self) -> AbstractContextManager[None]:
        """A time in which the view leaves the terminal to others."""


class Unreadable(ValueError):
    """What was typed is not what is asked for."""


class Absent:
    """Nobody is there to be asked: says how to answer, once, and that there is nothing to follow until then."""

    def __init__(self, client: Client, execution_id: str, console: Console, *, key_path: Path) -> None:
        self._client, self._execution_id, self._console, self._key_path = client, execution_id, console, key_path

    def __call__(self, run: RunProgress, view: Aside) -> bool:
        """Whether the paused *run* needs somebody from outside to go on. A moment comes by itself."""
        asked = _open(self._client, self._execution_id, run)
        asked = [each for each in asked if each["kind"] != PauseKind.TIMER]
        if asked:
            with view.aside():
                self.tell(asked)
        return bool(asked)

    def tell(self, asked: list[Asked]) -> None:
        api, now = f"{self._client.url}/api/v1", datetime.now(UTC)
        self._say(f"\nTo answer, with KEY=$(cat {quote(str(self._key_path))}):")
        for each in asked:
            self._say(f"\n{_SIGN} {each['path']} {awaited(each, now)}", _STYLE)
            door, body = _door(each, self._execution_id)
            more = "-H 'Content-Type: application/json' -d"
            self._say(f'  curl {api}{door} -H "Authorization: Bearer $KEY" {more} {quote(json.dumps(body))}')

    def _say(self, words: str, style: str = "") -> None:
        self._console.print(words, style=style, markup=False, highlight=False, soft_wrap=True)


class Prompt:
    """Asks, and answers for whoever typed. Who ends the input instead leaves: *absent* says how to answer later."""

    def __init__(
        self,
        client: Client,
        execution_id: str,
        console: Console,
        absent: Absent,
        *,
        read: Callable[[str], str] | None = None,
    ) -> None:
        self._client, self._execution_id, self._console, self._absent = client, execution_id, console, absent
        self._read = read or console.input
        self._looked_at = 0.0
        self._done: set[str] = set()  # waitpoints; one that several decide stays open

    def __call__(self, run: RunProgress, view: Aside) -> bool:
        """Put what the paused *run* asks people. Whether whoever sits there has left."""
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return False
        self._looked_at = time.monotonic()
        asked = _open(self._client, self._execution_id, run)
        asked = [each for each in asked if each["kind"] == PauseKind.HUMAN and each["id"] not in self._done]
        if not asked:
            return False
        with view.aside():
            for place, each in enumerate(asked):
                try:
                    self._ask(each, _title(each, self._execution_id, run))
                except EOFError:
                    self._absent.tell(asked[place:])
                    return True
        self._looked_at = 0.0
        return False

    def _ask(self, asked: Asked, title: str) -> None:
        """Ask until there is an answer that is taken, or nobody takes one any more. Raises EOFError."""
        self._say(f"\n{_SIGN} {title}", f"bold {_STYLE}")
        for words in (asked["prompt"], asked["form"].get("description")):
            if words:
                self._say(f"  {words}".replace("\n", "\n  "))
        while True:
            typed = self._read(f"  {hint(asked)} > ")
            try:
                self._client.answer(self._execution_id, asked["id"], value_of(typed, asked))
            except Unreadable as wrong:
                self._say(f"  {wrong}", "red")
            except ApiError as refused:
                sentences = refused.details.get("errors") or [str(refused)]
                self._say("\n".join(f"  {sentence}" for sentence in sentences), "red")
                if refused.code in _AGAIN:
                    continue
                break
            else:
                break
        self._done.add(asked["id"])

    def _say(self, words: str, style: str = "") -> None:
        self._console.print(words, style=style, markup=False, highlight=False, soft_wrap=True)


def hint(asked: Asked) -> str:
    """What to type: `y or n, 2 of 3 have to say yes`, `a number, Enter: 7`."""
    votes, form = asked["votes"], asked["form"]
    told = [_HINTS.get(_kind(asked), "text or JSON")]
    if votes:
        told.append(f"{votes['needed']} of {votes['voters']} have to say yes")
    if "defaultValue" in form:
        told.append(f"Enter: {json.dumps(form['defaultValue'], ensure_ascii=False)}")
    elif not form.get("required", True):
        told.append("Enter: nothing")
    return ", ".join(told)


def value_of(typed: str, asked: Asked) -> JSONValue:
    """The answer that somebody *typed*. Raises Unreadable."""
    form = asked["form"]
    if not typed.strip() and ("defaultValue" in form or not form.get("required", True)):
        default: JSONValue = form.get("defaultValue")
        return default
    return _READERS[_kind(asked)](typed)


def _boolean(typed: str) -> JSONValue:
    word = typed.strip().lower()
    if word not in _WORDS:
        raise Unreadable("Say y or n.")
    return _WORDS[word]


def _number(typed: str) -> JSONValue:
    number: JSONValue = None
    with suppress(Unreadable):
        number = _json(typed)
    if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
        raise Unreadable("It is no number.")
    return number


def _json(typed: str) -> JSONValue:
    try:
        value: JSONValue = json.loads(typed)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"It is no JSON: {error}.") from error
    return value


def _anything(typed: str) -> JSONValue:
    """JSON where it is some, else text."""
    if not typed.strip():
        raise Unreadable("Say something.")
    try:
        return _json(typed)
    except Unreadable:
        return typed


_READERS: Final[Mapping[str, Callable[[str], JSONValue]]] = {
    "text": str,
    "boolean": _boolean,
    "number": _number,
    "json": _json,
    "": _anything,
}


def _kind(asked: Asked) -> str:
    """`text`, `number`, `boolean`, `json`; "" where anything goes."""
    if asked["votes"]:
        return "boolean"
    schema: Mapping[str, Any] = asked["schema"] or {}
    found: str = asked["form"].get("inputType") or ""
    return found or (_OF_SCHEMA.get(str(schema.get("type")), "json") if schema else "")


def _open(client: Client, execution_id: str, run: RunProgress) -> list[Asked]:
    """What the run and those within it wait for. None while it is held, nor while the server is away."""
    if run.pause_reason is not PauseReason.WAITING:
        return []
    try:
        found: list[Asked] = client.execution(execution_id)["waiting_for"]  # type: ignore[assignment]  # JSON
    except ApiError:
        return []
    return found


def _title(asked: Asked, execution_id: str, run: RunProgress) -> str:
    """Its name, and where in the run it is, if that says more; of a run within it, the path."""
    node = run.nodes.get(asked["node_id"]) if asked["execution_id"] == execution_id else None
    if node is None:
        return str(asked["path"])
    return f"{node.newest.name} ({asked['path']})" if asked["scope"] else node.newest.name


def _door(asked: Asked, execution_id: str) -> tuple[str, Any]:
    """The path and the body of the request that answers it."""
    match PauseKind(asked["kind"]):
        case PauseKind.EVENT:
            return "/events", {"type": asked["event"]["type"], "payload": _payload(asked["event"]["matches"])}
        case PauseKind.TOKEN:
            return f"/waitpoints/{asked['id']}/complete", {"input": _example(asked)}
        case _:
            return f"/executions/{execution_id}/resume", {"waitpoint_id": asked["id"], "input": _example(asked)}


def _payload(matches: Mapping[str, JSONValue]) -> JSONValue:
    """What has all that *matches* says, by path."""
    payload: dict[str, Any] = {}
    for path, value in matches.items():
        *outer, last = path.split(".")
        place = payload
        for name in outer:
            inner = place.setdefault(name, {})
            place = inner if isinstance(inner, dict) else {}
        place[last] = value
    return payload


def _example(asked: Asked) -> JSONValue:
    examples: dict[str, JSONValue] = {"boolean": True, "number": 1, "json": {}}
    return examples.get(_kind(asked), "…")
