"""Proposals for misspelt words."""

from __future__ import annotations

import pytest

from workflows.core.closest import MAX_PROPOSALS, Proposals, closest


@pytest.mark.parametrize(
    ("word", "words", "meant"),
    [
        ("promt", ["prompt", "model"], "prompt"),  # a slip
        ("USERNAME", ["userName", "user"], "userName"),  # capitals are a small slip
        ("zebra", ["prompt", "model"], None),  # nothing close
        ("a", [], None),  # nothing at all
        ("node", ["Node", "node"], "Node"),  # spelt alike but for capitals: the first by alphabet
    ],
)
def test_closest_of_a_word_is_what_was_meant(word: str, words: list[str], meant: str | None) -> None:
    """A proposal is made only when something is close."""
    assert closest(word, words) == meant


def test_proposals_beyond_the_limit_are_none() -> None:
    """A definition full of misspelt names is validated in bounded time."""
    proposals = Proposals()

    made = [proposals.closest(f"name{number}", ["name"], among="names") for number in range(MAX_PROPOSALS + 1)]

    assert made == ["name"] * MAX_PROPOSALS + [None]


def test_proposals_asked_again_are_the_same() -> None:
    """What was found once costs nothing and is not forgotten, even past the limit."""
    proposals = Proposals()
    for number in range(MAX_PROPOSALS):
        proposals.closest(f"name{number}", ["name"], among="names")

    again = proposals.closest("name0", ["name"], among="names")

    assert again == "name"
