from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers import ConfigError, Pause, PauseKind
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, NOW, pause, resume, run

WAIT = CATALOGUE["wait"]
NOW_MS = int(NOW.timestamp() * 1000)


@pytest.mark.parametrize(
    ("config", "length"),
    [
        ({"waitType": "duration", "duration": 250}, timedelta(milliseconds=250)),
        ({"duration": "1500"}, timedelta(milliseconds=1_500)),
        ({"duration": 0.5}, timedelta(microseconds=500)),
        ({"waitType": "duration", "duration": 10, "durationUnit": "ms"}, timedelta(milliseconds=10)),
        ({"waitType": "duration", "durationValue": 5}, timedelta(seconds=5)),
        ({"durationValue": "1.5", "durationUnit": "minutes"}, timedelta(seconds=90)),
        ({"durationValue": 2, "durationUnit": "hours", "duration": None}, timedelta(hours=2)),
        ({"durationValue": 730, "durationUnit": "days"}, timedelta(days=730)),
        ({"duration": 7, "durationValue": 5, "durationUnit": "days"}, timedelta(milliseconds=7)),
        ({"waitType": "duration", "duration": 5, "timestamp": "2030-01-01"}, timedelta(milliseconds=5)),
    ],
)
def test_wait_for_a_duration_wakes_when_it_is_over(config: dict[str, Any], length: timedelta) -> None:
    """Milliseconds, or so many of a unit."""
    assert check_config(WAIT, config) == []
    assert pause("wait", config) == Pause(kind=PauseKind.TIMER, wakes_at=NOW + length, state={"waitType": "duration"})


@pytest.mark.parametrize(
    ("config", "moment"),
    [
        ({"timestamp": "2026-03-02T08:30:00Z"}, datetime(2026, 3, 2, 8, 30, tzinfo=UTC)),
        ({"timestamp": "2026-03-02T08:30:00.250+02:00"}, datetime(2026, 3, 2, 6, 30, 0, 250_000, tzinfo=UTC)),
        ({"timestamp": "2026-03-02T08:30"}, datetime(2026, 3, 2, 8, 30, tzinfo=UTC)),
        ({"timestamp": "2026-03-02T08:30", "timezone": "Europe/Berlin"}, datetime(2026, 3, 2, 7, 30, tzinfo=UTC)),
        ({"timestamp": "2026-07-02T08:30", "timezone": "Europe/Berlin"}, datetime(2026, 7, 2, 6, 30, tzinfo=UTC)),
        ({"timestamp": "2026-03-02T08:30Z", "timezone": "Europe/Berlin"}, datetime(2026, 3, 2, 8, 30, tzinfo=UTC)),
        ({"timestamp": "2026-03-02", "timezone": "America/New_York"}, datetime(2026, 3, 2, 5, tzinfo=UTC)),
        ({"waitType": "until", "untilDate": " 2026-03-02 "}, datetime(2026, 3, 2, tzinfo=UTC)),
        ({"waitType": "until", "timestamp": NOW_MS + 250}, NOW + timedelta(milliseconds=250)),
        ({"waitType": "until", "timestamp": "2026-03-02", "duration": 5}, datetime(2026, 3, 2, tzinfo=UTC)),
    ],
)
def test_wait_until_a_moment_wakes_then(config: dict[str, Any], moment: datetime) -> None:
    """Where it says no offset, it is one of the time zone."""
    assert check_config(WAIT, config) == []
    assert pause("wait", config) == Pause(kind=PauseKind.TIMER, wakes_at=moment, state={"waitType": "until"})


@pytest.mark.parametrize(
    ("config", "kind", "reason"),
    [
        ({"duration": 0}, "duration", "There is no time to wait"),
        ({"durationValue": 0, "durationUnit": "days"}, "duration", "There is no time to wait"),
        ({"timestamp": "2020-01-01"}, "until", "Target time already passed"),
        ({"timestamp": NOW_MS}, "until", "Target time already passed"),
    ],
)
def test_wait_for_what_is_past_does_not_pause(config: dict[str, Any], kind: str, reason: str) -> None:
    """It says that it did not."""
    output = run("wait", config)

    assert output.signal is None
    assert output.data == {
        "waitType": kind,
        "startTime": "2026-03-01T12:00:00.000Z",
        "endTime": "2026-03-01T12:00:00.000Z",
        "actualWaitDuration": 0,
        "skipped": True,
        "reason": reason,
    }


def test_wait_that_woke_says_how_long_it_was() -> None:
    """As it was, and not as it was meant."""
    assert resume("wait", {"duration": 250}, None, after=timedelta(milliseconds=261)) == {
        "waitType": "duration",
        "startTime": "2026-03-01T12:00:00.000Z",
        "endTime": "2026-03-01T12:00:00.261Z",
        "actualWaitDuration": 261,
    }


BOUNDS = "A number of milliseconds from 0 to 315619200000, ten years, is needed."


@pytest.mark.parametrize(
    ("config", "field", "sentence"),
    [
        ({}, "duration", "Say how long, in milliseconds, or by durationValue and durationUnit."),
        ({"waitType": "until"}, "timestamp", "Say until when."),
        ({"waitType": "until", "duration": 5}, "timestamp", "Say until when."),
        ({"waitType": "webhook"}, "waitType", "Input should be 'duration' or 'until'"),
        ({"duration": -1}, "duration", BOUNDS),
        ({"duration": 10**12}, "duration", BOUNDS),
        ({"duration": "soon"}, "duration", BOUNDS),
        ({"duration": True}, "duration", BOUNDS),
        ({"durationValue": 3_654, "durationUnit": "days"}, "durationValue", BOUNDS),
        ({"durationValue": -1}, "durationValue", "Input should be greater than or equal to 0"),
        (
            {"durationValue": 1, "durationUnit": "weeks"},
            "durationUnit",
            "Input should be 'ms', 'seconds', 'minutes', 'hours' or 'days'",
        ),
        (
            {"duration": 5, "durationUnit": "minutes"},
            "durationUnit",
            "`duration` is in milliseconds; with a unit, write durationValue.",
        ),
        (
            {"duration": "{{start.at}}", "durationUnit": "timestamp"},
            "durationUnit",
            "Input should be 'ms', 'seconds', 'minutes', 'hours' or 'days'",
        ),
        ({"timestamp": "tomorrow"}, "timestamp", "'tomorrow' is no date and time in ISO 8601."),
        ({"timestamp": 1e300}, "timestamp", "'1e+300' is no date and time in ISO 8601."),
        ({"timestamp": "0001-01-01T00:00+23:00"}, "timestamp", "'0001-01-01T00:00+23:00' is no date and time in ISO 8601."),
        (
            {"timestamp": "2030-01-01", "timezone": "Berlin"},
            "timezone",
            "'Berlin' is no time zone; write one such as Europe/Berlin.",
        ),
        ({"duration": 5, "timezone": "../UTC"}, "timezone", "'../UTC' is no time zone; write one such as Europe/Berlin."),
    ],
)  # fmt: skip
def test_wait_for_what_is_no_time_is_refused(config: dict[str, Any], field: str, sentence: str) -> None:
    """Named, with what would mend it."""
    assert check_config(WAIT, config) == [(field, sentence)]


@pytest.mark.parametrize(
    "config",
    [
        {"waitType": "until", "timestamp": "{{launch.date}}"},
        {"duration": "{{backoff.delay}}"},
        {"waitType": "{{start.kind}}", "duration": 5},
    ],
)
def test_wait_with_templates_is_not_judged_before_it_runs(config: dict[str, Any]) -> None:
    """What they come to is known only then."""
    assert check_config(WAIT, config) == []


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"waitType": "duration", "duration": None}, "duration is empty: there is nothing where it leads."),
        ({"waitType": "until", "timestamp": None}, "timestamp is empty: there is nothing where it leads."),
        ({"timestamp": "2037-01-01"}, "timestamp is more than ten years away: 2037-01-01T00:00:00.000Z."),
    ],
)
def test_wait_for_what_turns_out_to_be_no_time_fails(config: dict[str, Any], sentence: str) -> None:
    """Rather than go on as if it had waited, or never."""
    with pytest.raises(ConfigError) as error:
        run("wait", config)

    assert str(error.value) == sentence


def test_wait_never_expires() -> None:
    """So it has no handle for that."""
    assert WAIT.handles({}) == ("output", "error")
    assert {CATALOGUE["delay"].name, CATALOGUE["sleep"].name} == {"wait"}
