from __future__ import annotations

from pathlib import Path

import pytest

from flowmaestro.embedded import locks
from flowmaestro.embedded.errors import EmbeddedError


@pytest.mark.parametrize(
    ("first", "second", "is_taken"),
    [
        (True, True, True),  # users stand side by side
        (True, False, False),  # who wants to be alone waits for them
        (False, True, False),  # and they for it
        (False, False, False),
    ],
)
def test_take_of_a_held_lock_goes_by_how_it_is_held(tmp_path: Path, first: bool, second: bool, is_taken: bool) -> None:
    """Shared with shared, exclusive with nobody."""
    held = locks.take(tmp_path / "lock", shared=first, seconds=0)
    assert held is not None

    taken = locks.take(tmp_path / "lock", shared=second, seconds=0)

    assert (taken is not None) is is_taken
    for descriptor in (held, taken):
        if descriptor is not None:
            locks.release(descriptor)


def test_take_of_a_released_lock_succeeds(tmp_path: Path) -> None:
    """Released is free, at once."""
    held = locks.take(tmp_path / "lock", shared=False, seconds=0)
    assert held is not None
    locks.release(held)

    again = locks.take(tmp_path / "lock", shared=False, seconds=0)

    assert again is not None
    locks.release(again)


def test_held_while_somebody_else_is_inside_gives_up_with_a_sentence(tmp_path: Path) -> None:
    """A process that hangs inside does not hang everybody."""
    path = tmp_path / "lock"

    with locks.held(path, seconds=0), pytest.raises(EmbeddedError) as caught, locks.held(path, seconds=0):
        pass

    assert str(caught.value) == f"Another process has held {path} for more than 0 seconds."
