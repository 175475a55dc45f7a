"""Secrets in what is stored and told, replaced by `•••`.

A secret is found as it is, without the blanks around it, and as JSON (JSON inside JSON too), a Python `repr` or a URL
spells it. What a node makes of it (upper case, a hash, a half of it) is another text, and stays.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache, partial
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "•••"
# Whatever a run stores is searched for its secrets: `a` would be found, and hidden, in every second word.
SHORTEST_SECRET: Final = 4  # characters, blanks around it not counted

# A text or a number of JSON. Possessive: a text of megabytes is not kept for going back.
_TOKEN: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9][0-9.eE+-]*+')


class Mask:
    """Hides some secrets. Which stand where is decided left to right; of several at one place, the longest is one."""

    __slots__ = ("_in_json", "_pattern", "_secrets", "_spellings")

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = frozenset(secret for secret in secrets if secret)
        spelled = {spelling for secret in self._secrets for spelling in _spellings(secret)}
        self._spellings = tuple(sorted(spelled, key=lambda spelling: (-len(spelling), spelling)))
        self._pattern = re.compile("|".join(map(re.escape, self._spellings)))
        self._in_json = _shortest({form for spelling in spelled for form in _json_forms(spelling)})

    def __bool__(self) -> bool:
        """Whether there is anything to hide."""
        return bool(self._secrets)

    def text(self, text: str) -> str:
        if not any(spelling in text for spelling in self._spellings):
            return text
        return self._pattern.sub(MASK, text)

    def json(self, text: str) -> str:
        """*text*, as `json.dumps` writes, with the secrets in its texts hidden, keys among them; the rest as it was.

        A number is replaced, by a text, when it is a secret; digits of a longer one stay: it must remain a number.
        """
        if not any(form in text for form in self._in_json):
            return text
        return _TOKEN.sub(self._token, text)

    def stream(self) -> MaskedStream:
        return MaskedStream(self, self._pattern, self._spellings)

    def _token(self, found: re.Match[str]) -> str:
        token = found[0]
        if token[0] != '"':
            return f'"{MASK}"' if token in self._secrets else token
        if not any(form in token for form in self._in_json):
            return token
        value = json.loads(token)
        masked = self.text(value)
        return token if masked == value else _quoted(masked)


class MaskedStream:
    """Hides secrets in a text that comes in pieces: what may be the beginning of one waits for the next piece.

    The pieces that come out are together what `Mask.text` makes of the pieces that went in.
    """

    __slots__ = ("_held", "_mask", "_pattern", "_spellings")

    def __init__(self, mask: Mask, pattern: re.Pattern[str], spellings: tuple[str, ...]) -> None:
        self._mask, self._pattern, self._spellings = mask, pattern, spellings
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be told after *piece*."""
        if not self._mask:
            return piece
        text, at = self._held + piece, 0
        told: list[str] = []
        while True:
            undecided, found = self._undecided(text, at), self._pattern.search(text, at)
            if found is None or found.start() >= undecided:
                break
            told += [text[at : found.start()], MASK]
            at = found.end()
        self._held = text[undecided:]
        return "".join([*told, text[at:undecided]])

    def end(self) -> str:
        """What was still waiting: nothing more comes."""
        held, self._held = self._held, ""
        return self._mask.text(held)

    def _undecided(self, text: str, at: int) -> int:
        """The first place from *at* on where a spelling begins that is longer than what has come of it."""
        first = len(text)
        for spelling in self._spellings:
            place = text.find(spelling[0], max(at, len(text) - len(spelling) + 1))
            while -1 < place < first:
                if spelling.startswith(text[place:]):
                    first = place
                place = text.find(spelling[0], place + 1)
        return first


def find_fault(secret: str) -> str | None:
    """Why *secret* could not be hidden, in a sentence; None when it could."""
    if len(secret.strip()) < SHORTEST_SECRET:
        return (
            f"A secret has at least {SHORTEST_SECRET} characters, blanks around it not counted: a shorter one would be"
            " hidden wherever its few characters happen to stand."
        )
    if MASK[0] in secret:
        return f"A secret contains no {MASK[0]}, which stands for secrets where they are hidden."
    return None


@lru_cache(maxsize=256)
def mask_of(secrets: frozenset[str]) -> Mask:
    """The mask that hides *secrets*; the same few are hidden again and again."""
    return Mask(secrets)


def _spellings(secret: str) -> set[str]:
    plain = {secret, secret.strip() or secret}
    in_json = {form for text in plain for form in _json_forms(text)}
    in_json |= {form.replace("/", "\\/") for form in in_json}  # as some write it, for the sake of HTML
    twice = {form for text in in_json for form in _json_forms(text)}
    in_repr = {repr(text)[1:-1] for text in plain}
    in_url = {spell(text, errors="replace") for text in plain for spell in (quote, partial(quote, safe=""), quote_plus)}
    return plain | in_json | twice | in_repr | in_url


def _json_forms(text: str) -> set[str]:
    """How `json.dumps` writes *text* between the quotes."""
    return {encode_basestring(text)[1:-1], encode_basestring_ascii(text)[1:-1]}


def _shortest(forms: set[str]) -> tuple[str, ...]:
    """Those of *forms* that contain no other: where none of these is, none of them all is."""
    kept: list[str] = []
    for form in sorted(forms, key=lambda form: (len(form), form)):
        if not any(other in form for other in kept):
            kept.append(form)
    return tuple(kept)


def _quoted(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which only its escape can tell
        return encode_basestring_ascii(text)
    return encode_basestring(text)


NOTHING_HIDDEN: Final = Mask(())
