"""What token streams have said so far, kept in Redis so that who joins late reads it at once.

The process that streams knows how many bytes it has written, so a piece is put at its place (SETRANGE) and writing it
twice changes nothing. Should Redis forget in between, the place before it reads as NUL: such a text is not shown.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final
from uuid import UUID

from realtime import keys
from realtime.core import Piece

MOST_BYTES: Final = 1024 * 1024  # of one text; the rest of a longer one is only streamed
_MOST_STREAMS: Final = 10_000  # that a process remembers; above that the longest silent is given up


class TextWriter:
    """The streams that this process writes, and how far it has come in each."""

    def __init__(self) -> None:
        self._written: OrderedDict[str, tuple[int, int]] = OrderedDict()  # key → code points, bytes

    def write(self, pipeline: Any, execution_id: UUID, stream: str, piece: Piece) -> None:
        """Add the commands that write *piece*. After a hole the text is given up: none is better than a wrong one."""
        key, data = keys.text(execution_id, stream), piece.text.encode(errors="replace")
        characters, size = (0, 0) if piece.offset == 0 else self._written.pop(key, (-1, 0))
        if characters != piece.offset:
            pipeline.delete(key)
            return
        if size + len(data) > MOST_BYTES:
            return  # what is there stays; the reader sees by the next offset that there is more
        if piece.offset == 0:
            pipeline.set(key, data, ex=keys.KEPT_SECONDS)
        else:
            pipeline.setrange(key, size, data)
            pipeline.expire(key, keys.KEPT_SECONDS)
        self._written[key] = (piece.end, size + len(data))
        while len(self._written) > _MOST_STREAMS:
            self._written.popitem(last=False)


def readable(data: bytes | None) -> str:
    """The text of a value read back; "" where there is none, or where Redis forgot its beginning."""
    if data is None or b"\0" in data:
        return ""
    return data.decode()
