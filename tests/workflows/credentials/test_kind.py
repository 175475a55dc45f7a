from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from workflows.credentials.errors import BadValues, UnknownKind
from workflows.credentials.kind import kinds
from workflows.credentials.values import checked

FILLED: dict[str, dict[str, Any]] = {
    "api_key": {"api_key": "key-5f1c9e"},
    "basic": {"user": "ada", "password": "pass-word"},
    "bearer": {"token": "tok-5f1c9e"},
    "database": {"engine": "mysql", "host": "db", "user": "ada", "password": "pass-word", "database": "shop"},
    "header": {"header_name": "X-Shop", "value": "tok-5f1c9e"},
    "oauth2": {"client_id": "shop", "client_secret": "sec-ret", "token_url": "https://id.shop/token"},
    "smtp": {"host": "mail", "user": "ada", "password": "pass-word"},
}
SECRET = {
    "api_key": {"api_key"},
    "basic": {"password"},
    "bearer": {"token"},
    "database": {"password"},
    "header": {"value"},
    "oauth2": {"client_secret", "access_token", "refresh_token"},
    "smtp": {"password"},
}


def test_every_kind_is_known_with_its_secrets() -> None:
    assert {name: kind.secret_fields() for name, kind in kinds().items()} == SECRET


@pytest.mark.parametrize("name", FILLED)
def test_kind_describes_what_it_accepts(name: str) -> None:
    """A form can be drawn from the schema; every field of it says what it is."""
    told = kinds()[name].to_json()

    schema: Any = told["schema"]
    Draft202012Validator.check_schema(schema)
    assert not list(Draft202012Validator(schema).iter_errors(FILLED[name]))
    assert all("description" in field for field in schema["properties"].values())
    assert told["description"]
    json.dumps(told)


@pytest.mark.parametrize("name", FILLED)
def test_values_are_texts_for_nodes_and_the_secret_ones_are_hidden(name: str) -> None:
    filled = checked(name, FILLED[name])

    assert filled.texts().items() >= FILLED[name].items()
    assert all(isinstance(value, str) for value in filled.texts().values())
    assert filled.secrets() >= {value for field, value in FILLED[name].items() if field in SECRET[name]}


@pytest.mark.parametrize(
    ("kind", "values", "field", "part"),
    [
        ("bearer", {}, "values.token", "Field required"),
        ("bearer", {"token": 7}, "values.token", "valid string"),
        ("bearer", {"token": "abc"}, "values.token", "at least 4 characters"),
        ("bearer", {"token": " abc \n"}, "values.token", "at least 4 characters"),
        ("bearer", {"token": "tok•en"}, "values.token", "contains no •"),
        ("bearer", {"token": "tok\nen"}, "values.token", "control character"),
        ("bearer", {"token": "tok\0en"}, "values.token", "null character"),
        ("bearer", {"token": "tok\ud800en"}, "values.token", "unicode string"),
        ("bearer", {"token": "x" * 32_769}, "values.token", "32768 characters"),
        ("bearer", {"token": "tok-en", "tokn": "x"}, "values.tokn", "Known fields: base_url, test_url, token."),
        ("bearer", {"token": "tok-en", "base_url": "shop"}, "values.base_url", "begins with http"),
        ("bearer", {"token": "tok-en", "base_url": "https://a:b@shop"}, "values.base_url", "no user and no password"),
        ("header", {"header_name": "X Shop", "value": "tok-en"}, "values.header_name", "match pattern"),
        ("basic", {"user": "a:b", "password": "pass-word"}, "values.user", "no colon"),
        ("database", {**FILLED["database"], "port": 0}, "values.port", "greater than or equal to 1"),
        ("database", {**FILLED["database"], "engine": "oracle"}, "values.engine", "'postgresql' or 'mysql'"),
        (
            "oauth2",
            {"client_id": "shop", "token_url": "https://id.shop", "grant": "client_credentials"},
            "values",
            "needs a client_secret",
        ),
    ],
)
def test_value_that_cannot_be_is_refused_by_its_field(kind: str, values: dict[str, Any], field: str, part: str) -> None:
    with pytest.raises(BadValues) as raised:
        checked(kind, values)

    [(where, sentence)] = raised.value.wrong
    assert where == field
    assert part in sentence


def test_refusal_tells_no_value() -> None:
    """Not even as what another error came from: tracebacks are logged."""
    with pytest.raises(BadValues) as raised:
        checked("basic", {"user": "ada", "password": ["pass-word"], "pass-word-typo": 1})

    assert "pass-word'" not in f"{raised.value!r} {raised.value.__context__!r} {raised.value.__cause__!r}"


def test_kind_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownKind, match="there are: api_key, basic, bearer"):
        checked("cookie", {})
