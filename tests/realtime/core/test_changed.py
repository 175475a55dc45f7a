from __future__ import annotations

from uuid import UUID

from realtime.core import Changed

ONE, OTHER = UUID(int=1), UUID(int=2)
A, B, C = UUID(int=11), UUID(int=12), UUID(int=13)


def test_first_change_is_told_at_once_and_those_after_it_together() -> None:
    """A thousand changes a second are ten messages."""
    changed = Changed(per_second=10)
    changed.add(ONE, A)

    assert changed.take_due(100.0) == {ONE: {A}}

    for run in (A, B, A):
        changed.add(ONE, run)
    assert changed.take_due(100.05) == {}
    assert changed.next_due(100.05) is not None
    assert changed.take_due(100.1) == {ONE: {A, B}}
    assert changed.next_due(100.1) is None


def test_workspaces_do_not_wait_for_each_other() -> None:
    changed = Changed(per_second=10)
    changed.add(ONE, A)
    changed.take_due(100.0)
    changed.add(ONE, B)
    changed.add(OTHER, C)

    assert changed.next_due(100.05) == 0.0
    assert changed.take_due(100.05) == {OTHER: {C}}


def test_all_is_given_to_who_cannot_wait() -> None:
    """A process that ends."""
    changed = Changed(per_second=10)
    changed.add(ONE, A)
    changed.take_due(100.0)
    changed.add(ONE, B)

    assert changed.take_all(100.01) == {ONE: {B}}
    assert changed.take_all(100.02) == {}
