from __future__ import annotations

from realtime.core.window import Window


def test_window_is_full_when_more_than_its_width_is_under_way() -> None:
    """The width is what may be lost in somebody's memory, not one character more."""
    window = Window(widest=10)

    window.send(10)
    at_its_width = window.is_full
    window.send(1)

    assert (at_its_width, window.is_full) == (False, True)


def test_pong_says_that_what_was_sent_before_its_ping_has_arrived() -> None:
    """What was sent after the ping is still under way."""
    window = Window(widest=10)
    window.send(8)
    window.ping()
    window.send(8)
    window.ping()
    window.send(8)

    full = []
    for _ in range(2):
        window.pong()
        full.append(window.is_full)

    assert full == [True, False]


def test_pong_without_a_ping_opens_nothing() -> None:
    """A reader cannot claim to have what it was never asked about."""
    window = Window(widest=10)
    window.send(11)

    window.pong()

    assert (window.is_full, window.awaits_pong) == (True, False)
