from __future__ import annotations

from typing import Any

import pytest

from handlers import InputError
from handlers.rows import rows_of


@pytest.mark.parametrize(
    ("value", "columns", "cells"),
    [
        ([{"a": 1, "b": 2}, {"b": 3, "c": 4}], ("a", "b", "c"), ((1, 2, None), (None, 3, 4))),
        ([["a", "b"], [1, 2], [3]], ("a", "b"), ((1, 2), (3, None))),
        ([[1, 2], [3, 4]], ("column1", "column2"), ((1, 2), (3, 4))),
        ([["a"], [1, 2]], ("a", "column2"), ((1, 2),)),
        ([1, "x", None], ("value",), ((1,), ("x",), (None,))),
        ({"rows": [{"a": 1}], "headers": ["a"], "rowCount": 1}, ("a",), ((1,),)),
        ({"rows": [["1", "2"]], "headers": ["a", "b"]}, ("a", "b"), (("1", "2"),)),
        ({"north": 1, "south": 2}, ("name", "value"), (("north", 1), ("south", 2))),
        ('[{"a": 1}]', ("a",), ((1,),)),
        ([], (), ()),
    ],
)
def test_rows_are_read_in_every_way_a_node_hands_them_on(value: Any, columns: Any, cells: Any) -> None:
    rows = rows_of(value, field="data")

    assert (rows.columns, rows.cells) == (columns, cells)


@pytest.mark.parametrize(
    ("value", "columns", "cells"),
    [
        ([{"a": 1, "b": 2}], ("b", "z"), ((2, None),)),
        ([[1, 2, 3]], ("a", "b", "column3"), ((1, 2, 3),)),
        ([1], ("n",), ((1,),)),
    ],
)
def test_rows_have_the_columns_that_are_named(value: Any, columns: Any, cells: Any) -> None:
    rows = rows_of(value, field="data", named=columns[:2])

    assert (rows.columns, rows.cells) == (columns, cells)


@pytest.mark.parametrize("value", [None, "text", 7, [{"a": 1}, 2], [[1], 2]])
def test_what_is_no_table_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="data is no table"):
        rows_of(value, field="data")
