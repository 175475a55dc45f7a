"""Where two JSON values differ, as somebody reads it: a line for each place, and inside texts word for word.

    differences({"n": 1, "who": "Ada"}, {"n": 2, "who": "Ada"})  # one change, at "n"

Everything is bounded: so many changes, so long texts, so deep. What is beyond is counted, or compared as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final, TypeAlias

from handlers import JSONValue

MOST_CHANGES: Final = 100
_SHOWN: Final = 400  # characters of a value that is no text, or was there on one side only
_DEEPEST: Final = 40  # below, values are compared as a whole
# difflib takes time by the product of what it compares: this many take some tenths of a second at worst.
_MOST_WORDS: Final = 1_500
_MOST_ITEMS: Final = 300
_AROUND: Final = 12  # words of what is the same that are left beside what is not
_WORD: Final = re.compile(r"\s+|\w+|[^\w\s]")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Kind(StrEnum):
    ADDED = "added"  # only the second has it
    REMOVED = "removed"  # only the first has it
    CHANGED = "changed"


class Side(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A stretch of two texts."""

    side: Side
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    path: str  # `lines[2].price`; "" for the value itself
    kind: Kind
    before: str = ""  # as JSON, cut
    after: str = ""
    words: tuple[Words, ...] = ()  # of two texts, in the place of both


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What two values differ in; false when they are equal."""

    changes: tuple[Change, ...]
    omitted: int = 0  # changes beyond the first

    def __bool__(self) -> bool:
        return bool(self.changes)


def differences(before: JSONValue, after: JSONValue, *, most: int = MOST_CHANGES) -> Difference:
    """Where they differ, in the order of the second, what is gone from an object behind what is there."""
    changes: list[Change] = []
    omitted = 0
    for path, one, other in _places("", before, after, _DEEPEST):
        if len(changes) < most:
            changes.append(_change(path, one, other))
        else:
            omitted += 1
    return Difference(changes=tuple(changes), omitted=omitted)


class _Absent:
    """In the place of a value that only the other side has."""


_ABSENT: Final = _Absent()
_Value: TypeAlias = "JSONValue | _Absent"


def _places(path: str, before: _Value, after: _Value, depth: int) -> Iterator[tuple[str, _Value, _Value]]:
    if isinstance(before, dict) and isinstance(after, dict) and depth:
        for key in [*after, *(key for key in before if key not in after)]:
            yield from _places(_inside(path, key), before.get(key, _ABSENT), after.get(key, _ABSENT), depth - 1)
    elif isinstance(before, list) and isinstance(after, list) and depth:
        for at, one, other in _paired(before, after):
            yield from _places(f"{path}[{at}]", one, other, depth - 1)
    elif not _is_same(before, after):
        yield path, before, after


def _is_same(before: _Value, after: _Value) -> bool:
    # Python takes True for 1, and JSON does not.
    return before is after or (before == after and _text(before) == _text(after))


def _paired(before: Sequence[JSONValue], after: Sequence[JSONValue]) -> Iterator[tuple[int, _Value, _Value]]:
    """Items that belong together: what was put in between does not make all behind it different."""
    if max(len(before), len(after)) > _MOST_ITEMS:
        yield from _side_by_side(before, after, 0, 0)
        return
    texts = [_text(item) for item in before], [_text(item) for item in after]
    for tag, first, end, other, other_end in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from _side_by_side(before[first:end], after[other:other_end], first, other)


def _side_by_side(
    before: Sequence[JSONValue], after: Sequence[JSONValue], first: int, other: int
) -> Iterator[tuple[int, _Value, _Value]]:
    for at in range(max(len(before), len(after))):
        one: _Value = before[at] if at < len(before) else _ABSENT
        two: _Value = after[at] if at < len(after) else _ABSENT
        yield (first if two is _ABSENT else other) + at, one, two


def _change(path: str, before: _Value, after: _Value) -> Change:
    if before is _ABSENT:
        return Change(path=path, kind=Kind.ADDED, after=_cut(after))
    if after is _ABSENT:
        return Change(path=path, kind=Kind.REMOVED, before=_cut(before))
    if isinstance(before, str) and isinstance(after, str) and (words := _words(before, after)):
        return Change(path=path, kind=Kind.CHANGED, words=words)
    return Change(path=path, kind=Kind.CHANGED, before=_cut(before), after=_cut(after))


def _words(before: str, after: str) -> tuple[Words, ...]:
    """Two texts as one; nothing where they are too long for it, or have nothing in common."""
    one, other = _WORD.findall(before), _WORD.findall(after)
    if max(len(one), len(other)) > _MOST_WORDS:
        return ()
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    codes = matcher.get_opcodes()
    if not any(tag == "equal" and "".join(one[first:end]).strip() for tag, first, end, _, _ in codes):
        return ()
    told: list[Words] = []
    for place, (tag, first, end, second, second_end) in enumerate(codes):
        if tag == "equal":
            same = _shortened(one[first:end], is_first=place == 0, is_last=place == len(codes) - 1)
            told.append(Words(side=Side.SAME, text=same))
            continue
        if first < end:
            told.append(Words(side=Side.REMOVED, text="".join(one[first:end])))
        if second < second_end:
            told.append(Words(side=Side.ADDED, text="".join(other[second:second_end])))
    return tuple(told)


def _shortened(words: Sequence[str], *, is_first: bool, is_last: bool) -> str:
    """What is the same, near to what is not."""
    left, right = (0 if is_first else _AROUND), (0 if is_last else _AROUND)
    if len(words) <= left + right + _AROUND:
        return "".join(words)
    return f"{''.join(words[:left])} … {''.join(words[len(words) - right :])}"


def _inside(path: str, key: str) -> str:
    if _PLAIN.fullmatch(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{_cut(key)}]"


def _text(value: _Value) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _cut(value: _Value) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
