"""What travels: entries of a run's Redis stream, frames to clients, messages from them, close codes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias
from uuid import UUID

from executions.core.events import FINAL_EVENTS
from handlers import JSONObject

PROGRESS: Final = "node:reached"
METADATA: Final = "execution:metadata"
RUNS: Final = "runs"
RUN: Final = "run"
RUN_GONE: Final = "run:gone"
RUNS_CHANGED: Final = "runs:changed"  # only between processes: the ids of runs, whose rows say the rest
TOKEN: Final = "node:token"  # noqa: S105 -- a frame's type, no secret
MOST_TOGETHER: Final = 20  # events of one stream entry
ENOUGH_CHARS: Final = 65_536  # of frames, for one entry
MAX_MESSAGE_CHARS: Final = 16_384  # of a client; the longest sensible one holds a ticket of a few hundred


class Close(IntEnum):
    """Why the server ended a connection. Below 4000: RFC 6455, 7.4.1."""

    OVER = 1000  # the run has ended and its last event was sent
    NOT_TEXT = 1003
    TOO_BIG = 1009
    BROKEN = 1011  # our fault: come back
    TRY_LATER = 1013  # this process or the workspace has as many listeners as it may
    MALFORMED = 4400
    NO_TICKET = 4401  # none, invalid, expired, or not renewed
    WRONG_RUN = 4403
    UNKNOWN_RUN = 4404
    TOO_SLOW = 4408  # resume with the last number you have
    TOO_MANY = 4429  # messages in a short time


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """One event on its way: what decides about it, and the text of its frame, made once for all readers."""

    seq: int
    type: str
    text: str  # JSON

    @property
    def is_final(self) -> bool:
        return self.type in FINAL_EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A piece of what a node streams. Droppable: the whole text is in the node's output."""

    stream: str  # "<node>/<scope>"
    offset: int  # code points before it; 0 begins the stream anew (another attempt)
    text: str

    def frame(self) -> str:
        return dumps({"type": TOKEN, "stream": self.stream, "offset": self.offset, "text": self.text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """News without a number that stands for itself. Droppable: what lasts of it is in the rows."""

    type: str
    text: str  # JSON


@dataclass(frozen=True, slots=True)
class Newest:
    """Rows up to this number exist, as of a moment ago."""

    seq: int


Heard: TypeAlias = "Numbered | Tokens | Notice"
Entry: TypeAlias = "dict[str | bytes, str | int | bytes]"


def dumps(value: object) -> str:
    """Compact JSON. Half a surrogate pair, which no UTF-8 can carry, becomes "?"."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text if text.isascii() else text.encode(errors="replace").decode()


def entries(events: Sequence[Numbered]) -> Iterator[Entry]:
    """Stream entries for events that were told together: few, since each costs its sender ten times its events."""
    group: list[Numbered] = []
    for event in events:
        if group and (len(group) == MOST_TOGETHER or sum(len(one.text) for one in group) > ENOUGH_CHARS):
            yield _entry(group)
            group = []
        group.append(event)
    if group:
        yield _entry(group)


def token_entry(piece: Tokens) -> Entry:
    """The stream entry of a piece of text; the numbered kind has `entries`."""
    return {"stream": piece.stream, "offset": piece.offset, "text": piece.text}


def notice_entry(notice: Notice) -> Entry:
    """The stream entry of a notice."""
    return {"notice": notice.type, "frame": notice.text}


def progress(stream: str, fraction: float, message: str) -> Notice:
    """How far the attempt is that streams to *stream*, 0 to 1, in its own words."""
    frame: JSONObject = {"type": PROGRESS, "stream": stream, "fraction": fraction, "message": message}
    return Notice(type=PROGRESS, text=dumps(frame))


def metadata(key: str, value: str, revision: int) -> Notice:
    """What nodes have said about the run by now; *value* is JSON text, *revision* how often it was written."""
    frame: JSONObject = {"type": METADATA, "key": key, "value": json.loads(value), "revision": revision}
    return Notice(type=METADATA, text=dumps(frame))


def runs(workspace_id: str, shown: Sequence[JSONObject]) -> str:
    """The first frame of a workspace: its newest runs, newest first."""
    return dumps({"type": RUNS, "workspace_id": workspace_id, "runs": shown})


def run(shown: JSONObject) -> str:
    """A run of a workspace that began or changed, whole."""
    return dumps({"type": RUN, "run": shown})


def run_gone(execution_id: str) -> str:
    """A run of a workspace that was deleted."""
    return dumps({"type": RUN_GONE, "execution_id": execution_id})


def runs_changed(execution_ids: Iterable[UUID]) -> Notice:
    """What travels to those who watch a workspace: they look at the rows."""
    return Notice(type=RUNS_CHANGED, text=dumps([str(each) for each in execution_ids]))


def from_entry(fields: Mapping[bytes, bytes]) -> list[Heard]:
    """`entries`, `token_entry` and `notice_entry` turned round."""
    if b"stream" in fields:
        stream, offset, text = fields[b"stream"].decode(), int(fields[b"offset"]), fields[b"text"].decode()
        return [Tokens(stream=stream, offset=offset, text=text)]
    if b"notice" in fields:
        return [Notice(type=fields[b"notice"].decode(), text=fields[b"frame"].decode())]
    heads = (head.split(" ") for head in fields[b"heads"].decode().split("\n"))
    frames = fields[b"frames"].decode().split("\n")
    return [Numbered(seq=int(seq), type=kind, text=text) for (seq, kind), text in zip(heads, frames, strict=True)]


def _entry(events: Sequence[Numbered]) -> Entry:
    # Compact JSON has no line breaks of its own, so lines tell the frames apart without parsing them.
    return {
        "heads": "\n".join(f"{event.seq} {event.type}" for event in events),
        "frames": "\n".join(event.text for event in events),
    }


class MalformedMessage(ValueError):
    """A client's message is not a JSON object with a type that we know."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The oldest unanswered ping, and all that was sent before it, has arrived."""


@dataclass(frozen=True, slots=True)
class Renew:
    """The ticket is to be replaced by a younger one."""

    token: str


def parse_message(text: str) -> Pong | Renew:
    """What a client says. Raises MalformedMessage."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:  # RecursionError: a bracket nested a thousandfold
        raise MalformedMessage from error
    match message:
        case {"type": "pong"}:
            return Pong()
        case {"type": "renew", "token": str(token)}:
            return Renew(token)
    raise MalformedMessage


def ping(seq: int) -> str:
    return dumps({"type": "ping", "seq": seq})


def token(text: str, *, expires_at: str) -> str:
    """The answer to `renew`."""
    return dumps({"type": "token", "token": text, "expires_at": expires_at})


def whole(text: str) -> JSONObject:
    """What was streamed so far, as the snapshot frame shows it."""
    return {"offset": 0, "text": text}
