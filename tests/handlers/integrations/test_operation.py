from __future__ import annotations

from typing import Any

import pytest

from handlers import InputError
from handlers.integrations import FORM
from tests.handlers.fakes import RecordingLent
from tests.handlers.integrations.played import asked, reply
from tests.handlers.integrations.toys import do, shop


def test_parameters_go_where_the_operation_says() -> None:
    """By their name in the path, by their mark, else into the body; what was not said goes nowhere."""
    given = {"shelf": "a b/c", "article": "pen", "dryRun": True, "trace": "t1", "notes": '{"n": [1]}'}

    data, (request,) = do(shop(), "put", given, reply({"article": {"id": 7}, "shelf": "a"}))

    assert asked(request) == (
        "POST /shelves/a%20b%2Fc/articles",
        {"dry": "true"},
        {"article": "pen", "notes": {"n": [1]}},
    )
    assert request.headers["x-trace"] == "t1"
    assert data == {"id": 7}


@pytest.mark.parametrize("shelf", ["..", ".", "a/../b"])
def test_path_is_left_by_no_parameter(shelf: str) -> None:
    """Two dots would reach another operation of the service, with the credential."""
    if shelf == "a/../b":
        _, (request,) = do(shop(), "list", {"shelf": shelf}, reply([]))
        assert request.path.startswith("/shelves/a%2F..%2Fb/")
        return
    with pytest.raises(InputError, match="shelf"):
        do(shop(), "list", {"shelf": shelf}, reply([]))


@pytest.mark.parametrize("path", ["../secret", "a//b", "/a", "a/./b"])
def test_path_of_several_parts_is_left_by_no_parameter(path: str) -> None:
    with pytest.raises(InputError, match="path"):
        do(shop(), "fetch", {"path": path}, reply(b""))


@pytest.mark.parametrize(
    ("notes", "sent"),
    [
        ({"a": {"b": [1, True]}}, {"notes[a][b][0]": "1", "notes[a][b][1]": "true"}),
        ({"a": None, "b c": "ü"}, {"notes[a]": "", "notes[b c]": "ü"}),
    ],
)
def test_form_has_brackets_for_what_is_nested(notes: Any, sent: dict[str, str]) -> None:
    """As Stripe reads it."""
    given = {"shelf": "a", "article": "pen", "notes": notes}

    _, (request,) = do(shop(encoding=FORM), "put", given, reply({}))

    assert asked(request)[2] == {"article": "pen", **sent}
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_names_are_spelled_as_the_provider_spells_them() -> None:
    _, (request,) = do(shop(spelling=str.upper), "put", {"shelf": "a", "article": "pen"}, reply({}))

    assert asked(request)[2] == {"ARTICLE": "pen"}


def test_file_is_handed_over_as_it_is() -> None:
    """No decoding: its bytes are those of the answer."""
    lent = RecordingLent()

    data, (request,) = do(shop(), "fetch", {"path": "a/b c.bin"}, reply(b"\x00\xff"), lent=lent)

    assert (request.path, request.headers["accept"]) == ("/files/a/b%20c.bin", "*/*")
    assert lent.files.stored["a/b c.bin"][0] == b"\x00\xff"
    assert data["size"] == 2
