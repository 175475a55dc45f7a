from __future__ import annotations

from typing import Any

import pytest

from handlers import InputError
from handlers.chart_data import chart_data


def told(value: Any, **more: Any) -> Any:
    data = chart_data(value, **more)
    return data.labels, {each.name: each.values for each in data.series}


@pytest.mark.parametrize(
    ("value", "labels", "series"),
    [
        ([3, 1.5, "2"], ("1", "2", "3"), {"value": (3, 1.5, 2)}),
        (7, ("1",), {"value": (7,)}),
        ("7.5", ("1",), {"value": (7.5,)}),
        ({"north": 1, "south": 2}, ("north", "south"), {"value": (1, 2)}),
        ([{"month": "Jan", "a": 1, "b": None}, {"month": "Feb", "a": "2", "b": 3}], ("Jan", "Feb"), {"a": (1, 2), "b": (None, 3)}),
        ([{"year": 2025, "sum": 1}, {"year": 2026, "sum": 2}], ("1", "2"), {"year": (2025, 2026), "sum": (1, 2)}),
        ([{"x": 1, "y": 2}, {"x": 3, "y": 4}], ("1", "3"), {"y": (2, 4)}),
        ([["m", "n"], ["a", 1], ["b", 2]], ("a", "b"), {"n": (1, 2)}),
        ([[1, 2], [3, 4]], ("1", "2"), {"column1": (1, 3), "column2": (2, 4)}),
        ({"rows": [{"id": "a", "n": "1"}], "headers": ["id", "n"]}, ("a",), {"n": (1,)}),
        ({"labels": ["a", "b"], "datasets": [{"label": "s", "data": [1, 2]}, {"data": [3]}]}, ("a", "b"), {"s": (1, 2), "series 2": (3, None)}),
        ({"labels": ["a"], "values": [1, 2]}, ("a", "2"), {"value": (1, 2)}),
        ({"x": [1, 2], "y": [3, 4]}, ("1", "2"), {"y": (3, 4)}),
        ('{"a": 1}', ("a",), {"value": (1,)}),
    ],
)  # fmt: skip
def test_data_is_read_in_every_way_it_is_written(value: Any, labels: Any, series: Any) -> None:
    assert told(value) == (labels, series)


def test_data_is_of_the_columns_that_are_named() -> None:
    rows = [{"a": "x", "b": "y", "m": 1, "n": 2}]

    assert told(rows, label_key="b", value_keys=["n"]) == (("y",), {"n": (2,)})
    assert told(rows, labels=["z"]) == (("z",), {"m": (1,), "n": (2,)})
    with pytest.raises(InputError, match="no column 'c'"):
        chart_data(rows, value_keys=["c"])


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ([], "no numbers"),
        ([None, ""], "no numbers"),
        ([{"a": "x"}], "no numbers"),
        ("text", "no table"),
        ({"values": [1, "two"]}, "'two', which is no number"),
        ({"values": [True, "x"]}, "no number"),
        ([1e300], "beyond"),
        ([0] * 10_001, "up to 30 of 10,000"),
        ([[1] * 31], "31 series"),
    ],
)
def test_data_that_cannot_be_drawn_is_refused(value: Any, part: str) -> None:
    with pytest.raises(InputError, match=part):
        chart_data(value)


def test_label_is_one_line_and_not_too_long() -> None:
    assert told({"a\nb": 1, "x" * 100: 2})[0] == ("a b", "x" * 59 + "…")
