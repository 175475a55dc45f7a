from __future__ import annotations

from typing import Any

import pytest

from handlers import web
from handlers.errors import ConfigError
from handlers.ports import Credential
from tests.handlers.fakes import RecordingLent


def credential(kind: str, **values: str) -> Credential:
    return Credential(id="c", kind=kind, name="Mine", values=values)


@pytest.mark.parametrize(
    ("given", "options", "name", "value", "place"),
    [
        (credential("api_key", api_key="k3y!"), {}, "X-API-Key", "k3y!", "header"),
        (credential("api_key", api_key="k3y!", header_name="X-Own"), {}, "X-Own", "k3y!", "header"),
        (credential("api_key", api_key="k3y!", header_name="X-Own"), {"key_name": "Key"}, "Key", "k3y!", "header"),
        (
            credential("api_key", api_key="k3y!", header_name="Authorization", header_prefix="Token"),
            {},
            "Authorization",
            "Token k3y!",
            "header",
        ),
        (
            credential("api_key", api_key="k3y!", header_prefix="Token"),
            {"key_name": "key", "place": "query"},
            "key",
            "k3y!",
            "query",
        ),
        (credential("bearer", token=" t0ken\n"), {}, "Authorization", "Bearer t0ken", "header"),
        (credential("oauth2", access_token="t0ken"), {}, "Authorization", "Bearer t0ken", "header"),
        (credential("basic", user="ada", password="s3cret"), {}, "Authorization", "Basic YWRhOnMzY3JldA==", "header"),
        (credential("header", header_name="X-Own", value="v4lue"), {}, "X-Own", "v4lue", "header"),
    ],
)
def test_credential_is_sent_as_its_kind_says(
    given: Credential, options: dict[str, Any], name: str, value: str, place: str
) -> None:
    """Where a service looks for it."""
    found = web.of_credential(given, **options)

    assert (found.name, found.value, found.place) == (name, value, place)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (credential("database", password="s3cret"), "kind database"),
        (credential("smtp", password="s3cret"), "kind smtp"),
        (credential("bearer"), "has no token"),
        (credential("bearer", token="s3cret\r\nX-Admin: 1"), "cannot be sent"),  # a second header smuggled in
        (credential("header", header_name="X\r\nY", value="s3cret"), "cannot be sent"),
    ],
)
def test_credential_that_cannot_be_sent_is_refused_without_telling_it(given: Credential, told: str) -> None:
    """Its name and kind are no secret, its values are."""
    with pytest.raises(ConfigError, match=told) as failure:
        web.of_credential(given)

    assert "s3cret" not in str(failure.value)
    assert "'Mine'" in str(failure.value)


def test_credential_that_is_lent_is_hidden_in_the_spelling_it_is_sent_in() -> None:
    """Services are known to echo what they were sent."""
    lent = RecordingLent(credentials=[credential("basic", user="ada", password="s3cret")])

    web.lent_authorization(lent, "c")

    assert {"s3cret", "YWRhOnMzY3JldA=="} <= lent.hidden


def test_authorization_in_a_traceback_tells_no_value() -> None:
    assert "s3cret" not in repr(web.of_credential(credential("bearer", token="s3cret")))
