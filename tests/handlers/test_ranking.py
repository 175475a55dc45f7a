from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.ranking import cosine, rank, words

TEXTS = [
    "The invoice of March was paid by bank transfer.",
    "Refunds take five days; a refund is paid to the card.",
    "Opening hours: nine to five.",
]


def best(query: str) -> str:
    scores = rank(query, TEXTS)
    return TEXTS[scores.index(max(scores))]


@pytest.mark.parametrize(
    ("query", "text"), [("refund", TEXTS[1]), ("INVOICE paid", TEXTS[0]), ("when does it open: hours?", TEXTS[2])]
)
def test_a_text_with_the_rarer_words_of_the_query_is_first(query: str, text: str) -> None:
    assert best(query) == text


def test_a_text_without_a_word_in_common_has_nothing() -> None:
    assert rank("refund", TEXTS)[0] == 0
    assert rank("?!", TEXTS) == [0, 0, 0]
    assert rank("x", []) == []


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    assert words("退款政策 v2") == ["退", "款", "政", "策", "v2"]
    assert rank("退款", ["退款政策", "营业时间"])[0] > rank("退款", ["退款政策", "营业时间"])[1]


@given(query=st.text(max_size=40), texts=st.lists(st.text(max_size=60), max_size=6))
def test_scores_are_shares(query: str, texts: list[str]) -> None:
    assert all(0 <= score < 1 for score in rank(query, texts))


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [([1, 0], [2, 0], 1), ([1, 0], [0, 3], 0), ([1, 1], [-1, -1], -1), ([0, 0], [1, 1], 0)],
)
def test_cosine_is_of_the_angle_alone(left: list[float], right: list[float], expected: float) -> None:
    assert cosine(left, right) == pytest.approx(expected)
