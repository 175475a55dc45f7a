"""What the configurations of node types that pause have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from handlers.base import TIMEOUT_PORT, ConfigT, NodeConfig, NodeHandler
from handlers.schemas import find_fault
from handlers.values import number_of, read_container

LONGEST: Final = timedelta(days=3_653)  # ten years, two of them leap years at least; longer is a slip of the pen
_MOST_MS: Final = LONGEST // timedelta(milliseconds=1)


def read_milliseconds(value: object, *, least: int) -> float:
    """The number that *value*, or its text, is. Raises ValueError with a sentence."""
    number = None if isinstance(value, bool) or not isinstance(value, int | float | str) else number_of(value)
    if number is None or not least <= number <= _MOST_MS:  # nor is NaN
        raise ValueError(f"A number of milliseconds from {least} to {_MOST_MS}, ten years, is needed.")
    return number


def _read_expiry(value: Any) -> int:
    return int(read_milliseconds(value, least=1))


def _read_schema(value: Any) -> Any:
    """Some editors keep the schema as text."""
    return (read_container(value) if value.strip() else None) if isinstance(value, str) else value


def _check_schema(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    fault = None if schema is None else find_fault(schema)
    if fault is not None:
        raise ValueError(fault)
    return schema


AnswerSchema: TypeAlias = Annotated[dict[str, Any] | None, BeforeValidator(_read_schema), AfterValidator(_check_schema)]


class PauseConfig(NodeConfig):
    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, config: Any) -> Any:
        # An editor writes null for each of the fields that its form has and its author left empty.
        if not isinstance(config, dict):
            return config
        return {key: value for key, value in config.items() if value is not None}


class ExpiringConfig(PauseConfig):
    expires_in_ms: Annotated[int | None, BeforeValidator(_read_expiry)] = Field(
        None, description="After so many milliseconds nobody is waited for any more; never, when it is left out."
    )

    def expires_at(self, now: datetime) -> datetime | None:
        return None if self.expires_in_ms is None else now + timedelta(milliseconds=self.expires_in_ms)


class Expiring(NodeHandler[ConfigT]):
    """A type that may be waited for in vain."""

    @classmethod
    def ports(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        del config
        return (TIMEOUT_PORT,)
