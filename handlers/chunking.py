"""Long texts in pieces that a model can take: whole sentences up to a size, each piece beginning as the last one ended.

A sentence ends with `.`, `!` or `?` before a blank (in Chinese and Japanese without one), unless that belongs to an
abbreviation or small letters follow; an empty line ends one, too. A sentence that is longer than a piece is cut at a
blank, or where there is none, anywhere. All of it takes time in proportion to the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from handlers.base import JSONObject, JSONValue

Algorithm: TypeAlias = Literal["sentence", "paragraph", "fixed", "semantic"]

_ENDS: Final = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|\Z)|[。！？]+[”’」』）]*")  # noqa: RUF001 -- Chinese and Japanese ones
_EMPTY_LINE: Final = re.compile(r"\n[^\S\n]*\n\s*")
_WORD: Final = re.compile(r"[\w.]*\Z")
_LONGEST_WORD: Final = 12  # characters looked at before a full stop: the longest abbreviation and a sign
_ABBREVIATIONS: Final = frozenset(
    """
    dr mr mrs ms prof sr jr st gen gov hon rev capt col sgt lt maj hr fr
    vs etc e.g i.e cf al approx est fig vol ed eds p u.s inc ltd co corp dept
    jan feb mar apr jun jul aug sep sept oct nov dec
    z.b u.a d.h bzw usw ca vgl nr str
    """.split()  # noqa: SIM905 -- sixty lines otherwise
)
_HEADING: Final = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*")
_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One piece of a text."""

    content: str
    index: int
    start: int  # of its first character in the text; 0 is the first
    end: int  # behind its last one
    sentences: int
    metadata: Mapping[str, JSONValue] = field(default_factory=dict)

    def to_json(self) -> JSONObject:
        """As node outputs show it. There, as in the existing product, a text's first character is number 1."""
        places: JSONObject = {
            "start_char": self.start + 1,
            "end_char": self.end + 1,
            "sentence_count": self.sentences,
        }
        return {"content": self.content, "index": self.index, "metadata": {**self.metadata, **places}}


@dataclass(frozen=True, slots=True)
class _Span:
    """A part of a text, without blanks around it."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


def chunk_text(
    text: str,
    *,
    size: int,
    overlap: int,
    algorithm: Algorithm = "sentence",
    metadata: Mapping[str, JSONValue] | None = None,
) -> list[Chunk]:
    """*text* in pieces of up to *size* characters, of which up to *overlap* were in the piece before.

    sentence, paragraph: whole ones, joined by a blank or an empty line. fixed: every piece of the same size, wherever
    that cuts. semantic: along headings (`chunk_structured`), within them whole sentences. Raises ValueError for a size
    below 1.
    """
    if size < 1:
        raise ValueError("A chunk has at least one character.")
    overlap = min(overlap, size - 1)
    match algorithm:
        case "semantic":
            return chunk_structured(text, "markdown", size=size, overlap=overlap, metadata=metadata)
        case "fixed":
            spans = [[span] for span in _windows(text, size, overlap)]
            joint = ""
        case "paragraph":
            spans = list(_packed(_cut(text, _paragraphs(text), size), size, overlap, joint=2))
            joint = "\n\n"
        case "sentence":
            spans = list(_packed(_cut(text, _sentences(text), size), size, overlap, joint=1))
            joint = " "
    return [
        Chunk(
            content=joint.join(text[span.start : span.end] for span in group),
            index=index,
            start=group[0].start,
            end=group[-1].end,
            sentences=len(group) if algorithm == "sentence" else sum(_count(text, span) for span in group),
            metadata=metadata or {},
        )
        for index, group in enumerate(spans)
    ]


def chunk_structured(
    text: str, kind: str, *, size: int, overlap: int, metadata: Mapping[str, JSONValue] | None = None
) -> list[Chunk]:
    """The same, of Markdown section by section: `heading` and `level` (0 before the first) are in the metadata.

    A text of another *kind* has no sections.
    """
    if kind != "markdown":
        return chunk_text(text, size=size, overlap=overlap, metadata=metadata)
    found: list[Chunk] = []
    for heading, level, section in _sections(text):
        told = {**(metadata or {}), "heading": heading, "level": level}
        body = text[section.start : section.end]
        for chunk in chunk_text(body, size=size, overlap=overlap, metadata=told):
            start, end = chunk.start + section.start, chunk.end + section.start
            found.append(replace(chunk, index=len(found), start=start, end=end))
    return found


def _sections(text: str) -> Iterator[tuple[str, int, _Span]]:
    """Heading, level and what is below it, up to the next heading. What is in a block of code is no heading."""
    heading, level, start, place, fence = "", 0, 0, 0, ""
    for line in text.splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        if fence_found := _FENCE.match(bare):
            mark = fence_found[1]
            if not fence:
                fence = mark
            elif mark.startswith(fence) and not bare.strip().strip(mark[0]):
                fence = ""
        elif not fence and (found := _HEADING.fullmatch(bare)):
            yield heading, level, _Span(start, place)
            heading, level, start = (found[2] or "").strip(), len(found[1]), place + len(line)
        place += len(line)
    yield heading, level, _Span(start, len(text))


def _paragraphs(text: str) -> Iterator[_Span]:
    start = 0
    for gap in _EMPTY_LINE.finditer(text):
        yield from _trimmed(text, start, gap.start())
        start = gap.end()
    yield from _trimmed(text, start, len(text))


def _sentences(text: str) -> Iterator[_Span]:
    for paragraph in _paragraphs(text):
        start = paragraph.start
        for sign in _ENDS.finditer(text, paragraph.start, paragraph.end):
            if _is_end(text, sign, paragraph.end):
                yield from _trimmed(text, start, sign.end())
                start = sign.end()
        yield from _trimmed(text, start, paragraph.end)


def _is_end(text: str, sign: re.Match[str], end: int) -> bool:
    if sign[0] != ".":
        return True
    following = text[sign.end() : min(sign.end() + 40, end)].lstrip()
    if following[:1].islower():
        return False
    before = _WORD.search(text[max(0, sign.start() - _LONGEST_WORD) : sign.start()])
    word = before[0] if before else ""
    is_initial = len(word) == 1 and word.isalpha() and word.isupper()
    return not following or not (is_initial or word.lower() in _ABBREVIATIONS)


def _cut(text: str, spans: Iterable[_Span], size: int) -> Iterator[_Span]:
    """*spans*, those longer than *size* in parts."""
    for span in spans:
        start = span.start
        while span.end - start > size:
            blank = max(text.rfind(" ", start, start + size + 1), text.rfind("\n", start, start + size + 1))
            end = blank if blank > start else start + size
            yield from _trimmed(text, start, end)
            start = end
        yield from _trimmed(text, start, span.end)


def _packed(spans: Iterable[_Span], size: int, overlap: int, *, joint: int) -> Iterator[list[_Span]]:
    """Groups of neighbours that have up to *size* characters with *joint* between two of them."""
    group: list[_Span] = []
    length = 0
    for span in spans:
        if group and length + joint + span.length > size:
            yield group
            group, length = _kept(group, min(overlap, size - joint - span.length), joint)
        length += span.length + (joint if group else 0)
        group.append(span)
    if group:
        yield group


def _kept(group: list[_Span], most: int, joint: int) -> tuple[list[_Span], int]:
    """The last of *group* that have up to *most* characters, and how many they have. Never the whole group."""
    length, first = 0, len(group)
    while first > 1:
        longer = length + group[first - 1].length + (joint if length else 0)
        if longer > most:
            break
        length, first = longer, first - 1
    return group[first:], length


def _windows(text: str, size: int, overlap: int) -> Iterator[_Span]:
    start = 0
    while start < len(text):
        end = min(start + size, len(text))
        if text[start:end].strip():
            yield _Span(start, end)
        if end == len(text):
            return
        start = end - overlap


def _trimmed(text: str, start: int, end: int) -> Iterator[_Span]:
    part = text[start:end]
    if bare := part.strip():
        first = start + len(part) - len(part.lstrip())
        yield _Span(first, first + len(bare))


def _count(text: str, span: _Span) -> int:
    return sum(1 for _ in _sentences(text[span.start : span.end]))
