from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from handlers.databases.results import Bounds, collect, distinct, to_json
from handlers.errors import InputError

BOUNDS = Bounds(rows=2, size=100, seconds=1)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        ("\ud800", "?"),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (Decimal("1.10"), 1.1),
        (Decimal(5), 5),
        (Decimal(12345678901234567890), "12345678901234567890"),  # which a float would round
        (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
        (Decimal("NaN"), "NaN"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, 12, tzinfo=UTC), "2026-03-01T12:00:00+00:00"),
        (timedelta(minutes=1), 60.0),
        (b"\0x", "AHg="),
        (memoryview(b"x"), "eA=="),
        ([1, {"a": Decimal("2.5")}], [1, {"a": 2.5}]),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_value_of_a_database_as_json(value: Any, shown: Any) -> None:
    assert to_json(value) == shown


def test_collect_leaves_out_what_is_too_many() -> None:
    assert collect([(1,), (2,)], ["a"], BOUNDS) == ([{"a": 1}, {"a": 2}], False)
    assert collect([(1,), (2,), (3,)], ["a"], BOUNDS) == ([{"a": 1}, {"a": 2}], True)


def test_collect_of_rows_that_are_too_large_fails() -> None:
    """Few rows can be long, and all of them are held in memory."""
    with pytest.raises(InputError) as failure:
        collect([("x" * 60,), ("y" * 60,)], ["a"], BOUNDS)

    assert failure.value.code == "response_too_large"


def test_columns_of_one_name_are_all_there() -> None:
    """A row is an object, in which the second would replace the first."""
    assert distinct(["id", "id", "id_2", "id"]) == ["id", "id_2", "id_2_2", "id_3"]
