"""A language model that writes a letter, and can be made to hesitate in the middle of it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, cast

from tests.handlers.llm.speakers import Answer, OpenAI, Trouble, service

FIRST: Final = "Dear Marta Nowak,\n\nthank you for your order of 24 pieces of Lamp Ada."
LETTER: Final = f"""{FIRST} You wrote: “Will all of them come at once, and may I choose
the day?” They leave our warehouse in Leipzig together, on the day that you choose below; we write to you again when
they are on their way, and once more on the morning on which they arrive.

Kind regards,
Lumen & Oak"""
_WORD_SECONDS: Final = 0.03
_LONGEST_SECONDS: Final = 60.0  # of hesitation, if a test forgets it


class Author:
    def __init__(self) -> None:
        self.url = ""
        self._may_go_on = threading.Event()
        self._may_go_on.set()

    @contextmanager
    def held(self) -> Iterator[None]:
        """A time in which it writes FIRST and then nothing, so that no machine is too slow to see it at work."""
        self._may_go_on.clear()
        try:
            yield
        finally:
            self._may_go_on.set()

    @contextmanager
    def serve(self) -> Iterator[Author]:
        # Each caller has the pieces made for it, while they are sent.
        pieces = cast("Sequence[bytes | Trouble]", self)
        with service(Answer(pieces=pieces)) as server:
            self.url = f"{server.url}/v1"
            yield self

    def __iter__(self) -> Iterator[bytes]:
        dialect = OpenAI()
        yield from dialect.begin()
        for word in re.findall(r"\S+\s*", FIRST):
            yield dialect.say(word)
        self._may_go_on.wait(_LONGEST_SECONDS)
        for word in re.findall(r"\s*\S+", LETTER.removeprefix(FIRST)):
            time.sleep(_WORD_SECONDS)
            yield dialect.say(word)
        yield from dialect.end()
