from __future__ import annotations

import pytest

from handlers import InputError
from handlers.csv_tables import MOST_COLUMNS, read_table


def test_names_that_are_taken_get_a_number() -> None:
    assert read_table("a,a_2,a,a,,\n", what="It").headers == ["a", "a_2", "a_3", "a_4", "column5", "column6"]


def test_a_header_of_one_name_ten_thousand_times_is_read_in_time() -> None:
    """To try each number for each would take a trillion steps."""
    headers = read_table(",".join("a" * MOST_COLUMNS), what="It").headers

    assert (headers[0], headers[-1], len(set(headers))) == ("a", f"a_{MOST_COLUMNS}", MOST_COLUMNS)


def test_short_rows_under_a_wide_header_count_as_if_they_were_whole() -> None:
    """Each becomes an object with all of its columns."""
    text = "x," * (MOST_COLUMNS - 1) + "x\n" + "1\n" * 300

    with pytest.raises(InputError) as caught:
        read_table(text, what="It")

    assert caught.value.code == "too_complex"
