from __future__ import annotations

import re

import pytest
from django.test import Client


@pytest.mark.parametrize("given", ["abc", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "a.b:c_d-1", "x" * 128])
def test_request_id_that_is_sane_is_kept(given: str) -> None:
    """A caller finds its own name of the request in our answer and our log."""
    response = Client().get("/health/live", headers={"X-Request-ID": given})

    assert response["X-Request-ID"] == given
    assert response.json()["meta"]["request_id"] == given


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("", "empty"),
        ("x" * 129, "too long for a log line"),
        ("a b", "a blank"),
        ("a\tb", "a control character"),
        ("é", "not ASCII"),
        ("-a", "could be read as an option by what greps the log"),
    ],
)
def test_request_id_that_is_not_sane_is_replaced(given: str, reason: str) -> None:
    """What goes to the log unquoted is ours to choose."""
    response = Client().get("/health/live", headers={"X-Request-ID": given})

    assert re.fullmatch(r"req_[0-9a-f]{32}", response["X-Request-ID"]), reason
    assert response.json()["meta"]["request_id"] == response["X-Request-ID"]


def test_request_id_is_told_where_no_view_answers() -> None:
    """A page that is not there, too, can be found in the log."""
    response = Client().get("/nowhere", headers={"X-Request-ID": "abc"})

    assert (response.status_code, response["X-Request-ID"]) == (404, "abc")
