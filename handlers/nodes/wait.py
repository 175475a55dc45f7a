"""A pause of some length."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, ValidationInfo, field_validator

from handlers.base import Effect, JSONObject, NodeHandler, NodeInput, NodeOutput, Pause, PauseKind, Resumed
from handlers.errors import ConfigError
from handlers.pauses import LONGEST, PauseConfig, read_milliseconds
from handlers.ports import Lent
from handlers.registry import node_type

MOMENT_KEYS: Final = ("timestamp", "untilDate")
UNITS: Final[Mapping[str, int]] = {  # milliseconds
    "ms": 1,
    "seconds": 1_000,
    "minutes": 60_000,
    "hours": 3_600_000,
    "days": 86_400_000,
}
_LONGER_UNITS: Final = tuple(unit for unit in UNITS if unit != "ms")


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown; no name at all; a folder of zones
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/Berlin.") from error
    return name


class WaitConfig(PauseConfig):
    wait_type: Literal["duration", "until"] | None = Field(
        None, description="Which of the two is meant; told by the keys that are there when it is left out."
    )
    duration: Annotated[float | None, BeforeValidator(lambda told: read_milliseconds(told, least=0))] = Field(
        None, description="`duration`: how long, in milliseconds."
    )
    duration_unit: Literal["ms", "seconds", "minutes", "hours", "days"] = Field(
        "seconds", description="What `durationValue` counts."
    )
    duration_value: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="`duration`: how long, in `durationUnit`."
    )
    timezone: Annotated[str, AfterValidator(_check_zone)] = Field(
        "UTC", description="Of a `timestamp` that says none itself, such as Europe/Berlin."
    )
    timestamp: str | int | float | None = Field(
        None,
        validation_alias=AliasChoices(*MOMENT_KEYS),
        description="`until`: a date, or date and time, in ISO 8601, or epoch milliseconds such as `{{$now}}` is.",
    )

    @field_validator("duration_value")
    @classmethod
    def _is_within_bounds(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and "duration_unit" in info.data:
            read_milliseconds(value * UNITS[info.data["duration_unit"]], least=0)
        return value

    @field_validator("timestamp")
    @classmethod
    def _is_a_moment(cls, timestamp: str | float | None, info: ValidationInfo) -> str | float | None:
        if timestamp is not None and "timezone" in info.data:
            _read_moment(timestamp, info.data["timezone"])
        return timestamp


@node_type(
    "wait",
    category="logic",
    title="Wait",
    effect=Effect.PURE,
    aliases=("delay", "sleep"),
    pauses=True,
    retries=False,
)
class Wait(NodeHandler[WaitConfig]):
    """Go on later. A second and a year are the same thing: nothing is held meanwhile.

    - `waitType: duration`: after `duration` milliseconds, or after `durationValue` times `durationUnit` (`ms`,
      `seconds`, `minutes`, `hours`, `days`).
    - `waitType: until`: at `timestamp`, read in `timezone` where it says none itself.

    At most ten years. A moment that has passed, and no duration, are not waited for.

    Output: `{"waitType", "startTime", "endTime", "actualWaitDuration"}`, the last in milliseconds; with
    `"skipped": true` and a `"reason"` where it was not waited.
    """

    Config = WaitConfig

    def run(self, node: NodeInput[WaitConfig], lent: Lent) -> NodeOutput:
        del lent
        kind, config = _wait_type(node.config), node.config
        if kind == "until":
            wakes_at, reason = _moment(config, now=node.now), "Target time already passed"
        else:
            wakes_at, reason = node.now + timedelta(milliseconds=_milliseconds(config)), "There is no time to wait"
        if wakes_at <= node.now:
            output = _output(kind, node.now, node.now)
            return NodeOutput(data={**output, "skipped": True, "reason": reason})
        return NodeOutput(data=None, signal=Pause(kind=PauseKind.TIMER, wakes_at=wakes_at, state={"waitType": kind}))

    def resume(self, node: Resumed) -> NodeOutput:
        return NodeOutput(data=_output(str(node.state["waitType"]), node.paused_at, node.now))

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        told = {key for key, value in config.items() if value is not None}
        kind = config.get("waitType") or ("until" if told.intersection(MOMENT_KEYS) else "duration")
        if kind == "until" and not told.intersection(MOMENT_KEYS):
            return [("timestamp", "Say until when.")]
        if kind == "duration" and not told.intersection({"duration", "durationValue"}):
            return [("duration", "Say how long, in milliseconds, or by durationValue and durationUnit.")]
        if kind == "duration" and "durationValue" not in told and config.get("durationUnit") in _LONGER_UNITS:
            return [("durationUnit", "`duration` is in milliseconds; with a unit, write durationValue.")]
        return []


def _wait_type(config: WaitConfig) -> str:
    return config.wait_type or ("duration" if config.timestamp is None else "until")


def _milliseconds(config: WaitConfig) -> float:
    if config.duration is not None:
        return config.duration
    if config.duration_value is not None:
        return config.duration_value * UNITS[config.duration_unit]
    raise ConfigError("duration is empty: there is nothing where it leads.")


def _moment(config: WaitConfig, *, now: datetime) -> datetime:
    if config.timestamp is None:
        raise ConfigError("timestamp is empty: there is nothing where it leads.")
    moment = _read_moment(config.timestamp, config.timezone)
    if moment - now > LONGEST:
        raise ConfigError(f"timestamp is more than ten years away: {_written(moment)}.")
    return moment


def _read_moment(timestamp: str | float, timezone: str) -> datetime:
    """Raises ValueError with a sentence."""
    try:
        if not isinstance(timestamp, str):
            return datetime.fromtimestamp(timestamp / 1000, UTC)
        moment = datetime.fromisoformat(timestamp.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{str(timestamp)[:100]!r} is no date and time in ISO 8601.") from error


def _output(wait_type: str, started: datetime, ended: datetime) -> JSONObject:
    return {
        "waitType": wait_type,
        "startTime": _written(started),
        "endTime": _written(ended),
        "actualWaitDuration": (ended - started) // timedelta(milliseconds=1),
    }


def _written(moment: datetime) -> str:
    """As JavaScript writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
