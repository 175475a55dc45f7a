from __future__ import annotations

from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.chunking import Algorithm, chunk_structured, chunk_text


def contents(text: str, size: int, overlap: int = 0, algorithm: Algorithm = "sentence") -> list[str]:
    return [chunk.content for chunk in chunk_text(text, size=size, overlap=overlap, algorithm=algorithm)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith met J. Jones. They left.", ["Dr. Smith met J. Jones.", "They left."]),
        ("It has 3.5 km etc. and more.", ["It has 3.5 km etc. and more."]),
        ('He said "No." Then he left.', ['He said "No."', "Then he left."]),
        ("Really?! Yes...", ["Really?!", "Yes..."]),
        ("A heading\n\nA text.", ["A heading", "A text."]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("ends with etc.", ["ends with etc."]),
    ],
)
def test_sentences_are_those_a_reader_sees(text: str, sentences: list[str]) -> None:
    assert contents(text, max(map(len, sentences))) == sentences


def test_chunks_begin_as_the_one_before_ended() -> None:
    """With as many whole sentences as fit into the overlap."""
    assert contents("Aaaa. Bbbb. Cccc. Dddd.", size=17, overlap=6) == ["Aaaa. Bbbb. Cccc.", "Cccc. Dddd."]


def test_overlap_makes_room_for_what_comes_next() -> None:
    """A chunk is no longer than it may be, and none has nothing new in it."""
    assert contents("Aa. Bb. Ccccccccccc.", size=15, overlap=14) == ["Aa. Bb.", "Bb. Ccccccccccc."[4:]]


def test_sentence_longer_than_a_chunk_is_cut_at_a_blank() -> None:
    assert contents("one two three four", size=8) == ["one two", "three", "four"]
    assert contents("x" * 20, size=8) == ["x" * 8, "x" * 8, "x" * 4]


def test_paragraphs_stay_whole() -> None:
    assert contents("A. B.\n\nC. D.\n\nE.", size=12, algorithm="paragraph") == ["A. B.\n\nC. D.", "E."]


def test_fixed_chunks_are_of_one_size() -> None:
    assert contents("abcdefghij", size=4, overlap=1, algorithm="fixed") == ["abcd", "defg", "ghij"]


def test_sections_are_told_by_their_heading_and_place() -> None:
    """Whatever looks like a heading in a block of code is code."""
    text = "Before.\n# One #\nBody.\n```\n# no heading\n```\n## Two\nEnd."

    chunks = chunk_structured(text, "markdown", size=100, overlap=0, metadata={"file": "a.md"})

    assert [(chunk.index, chunk.metadata, text[chunk.start : chunk.end]) for chunk in chunks] == [
        (0, {"file": "a.md", "heading": "", "level": 0}, "Before."),
        (1, {"file": "a.md", "heading": "One", "level": 1}, "Body.\n```\n# no heading\n```"),
        (2, {"file": "a.md", "heading": "Two", "level": 2}, "End."),
    ]


@given(
    text=st.text(st.sampled_from("ab .!?\n#`。"), max_size=120),
    size=st.integers(1, 40),
    overlap=st.integers(0, 60),
    algorithm=st.sampled_from(["sentence", "paragraph", "fixed", "semantic"]),
)
def test_chunks_leave_nothing_out_and_keep_to_their_size(
    text: str, size: int, overlap: int, algorithm: Algorithm
) -> None:
    chunks = chunk_text(text, size=size, overlap=overlap, algorithm=algorithm)

    covered = {place for chunk in chunks for place in range(chunk.start, chunk.end)}
    assert all(0 < len(chunk.content) <= size for chunk in chunks)
    assert [chunk.index for chunk in chunks] == [*range(len(chunks))]
    if algorithm != "semantic":  # whose headings are in the metadata
        assert all(place in covered for place, character in enumerate(text) if not character.isspace())


@pytest.mark.parametrize(
    "text", ["." * 200_000, "a. " * 70_000, "\n" * 200_000, "(" * 200_000, "# \n" * 70_000, "x" * 200_000]
)
def test_chunks_of_a_hostile_text_take_no_longer(text: str) -> None:
    """Seconds where a careless pattern would take hours."""
    started = monotonic()

    chunk_text(text, size=1000, overlap=200, algorithm="semantic")

    assert monotonic() - started < 60
