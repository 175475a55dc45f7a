from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from realtime.core import Totals, Who, merged, summary

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("first", "second", "order"),
    [
        ("a b c", "a b c", "a b c"),
        ("a x b", "a b", "a x b"),
        ("x a", "a", "x a"),
        ("a x y b", "a n b", "a x y n b"),
        ("b a x", "a b", "a x b"),  # turned round: it stands behind what it stood behind
        ("", "a", "a"),
        ("a", "", "a"),
    ],
)
def test_nodes_of_both_stand_in_the_order_of_the_second(first: str, second: str, order: str) -> None:
    assert merged(first.split(), second.split()) == order.split()


def a_run(**fields: Any) -> Totals:
    return Totals(**{"status": "completed", "is_over": True, "took": SECOND, "cost": 0.0, **fields})


@pytest.mark.parametrize(
    ("first", "second", "paths", "outputs", "sentences"),
    [
        (
            a_run(),
            a_run(),
            "b b",
            0,
            "Both completed. The same nodes ran. Every node gave back the same. They took about as long.",
        ),
        (
            a_run(),
            a_run(status="failed", took=3 * SECOND, cost=0.02),
            "b f s s n",
            2,
            (
                "A completed, B failed. 1 node ran only in A, 2 nodes only in B. 2 nodes gave back something else. "
                "B took 2.0 s longer. B cost $0.0200 more."
            ),
        ),
        (
            a_run(status="running", is_over=False, cost=0.5),
            a_run(status="running", is_over=False, took=SECOND / 2, cost=0.5),
            "b s",
            1,
            (
                "Both are running. No node ran only in A, 1 node only in B. 1 node gave back something else. "
                "B took 500 ms less. They cost the same."
            ),
        ),
        (
            a_run(status="paused", is_over=False, took=SECOND),
            a_run(took=1.05 * SECOND),
            "b",
            0,
            "A is paused, B completed. The same nodes ran. Every node gave back the same. They took about as long.",
        ),
    ],
    ids=["alike", "unlike", "live", "paused"],
)
def test_comparison_is_told_in_sentences(
    first: Totals, second: Totals, paths: str, outputs: int, sentences: str
) -> None:
    """What matters first; of times that differ by chance, no figure."""
    by_letter = {who.value[0]: who for who in Who}

    told = summary(first, second, paths=[by_letter[letter] for letter in paths.split()], outputs=outputs)

    assert " ".join(told) == sentences
