"""Token streams for one reader: by offset, so that a piece heard twice shows once and a missing one is noticed."""

from __future__ import annotations

from realtime.core.wire import Tokens


class Streams:
    """How much of each stream a reader has, in code points."""

    def __init__(self) -> None:
        self._have: dict[str, int] = {}

    def catch_up(self, stream: str, text: str) -> Tokens | None:
        """The stream has said *text* so far: what of it the reader was not given."""
        have = self._have.get(stream, 0)
        if len(text) <= have:
            return None
        self._have[stream] = len(text)
        return Tokens(stream=stream, offset=have, text=text[have:])

    def lacks(self, piece: Tokens) -> bool:
        """There is text before *piece* that the reader was not given."""
        return piece.offset > self._have.get(piece.stream, 0)

    def offer(self, piece: Tokens) -> Tokens | None:
        """What of *piece* is new to the reader; None: nothing. Offset 0 is always new: it begins the stream anew."""
        have = 0 if piece.offset == 0 else self._have.get(piece.stream, 0)
        end = piece.offset + len(piece.text)
        if end <= have:
            return None
        self._have[piece.stream] = end
        if piece.offset >= have:
            return piece
        return Tokens(stream=piece.stream, offset=have, text=piece.text[have - piece.offset :])
