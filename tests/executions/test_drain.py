from __future__ import annotations

from executions.drain import Drain


def test_drain_is_wanted_from_its_beginning_until_it_is_reset() -> None:
    drain = Drain()
    seen = [drain.is_wanted]

    drain.begin()
    seen.append(drain.is_wanted)
    drain.begin()
    seen.append(drain.is_wanted)
    drain.reset()

    assert [*seen, drain.is_wanted] == [False, True, True, False]
