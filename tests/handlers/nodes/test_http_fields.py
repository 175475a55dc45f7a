from __future__ import annotations

from typing import Any

import pytest

from handlers import network
from handlers.errors import ConfigError, InputError, ProviderError
from handlers.network.content import DEFAULT_MAX_ANSWER_BYTES, bound
from handlers.ports import Credential
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, EXECUTION, RecordingLent, run
from tests.handlers.servers import Received, Reply, http_server

KEY = Credential(id="c", kind="api_key", name="Mine", values={"api_key": "k3y!", "header_name": "X-Own"})
PNG = Reply(headers={"Content-Type": "image/png"}, body=b"\x89PNG\0")


def send(config: dict[str, Any], *replies: Reply, lent: RecordingLent | None = None) -> tuple[Any, list[Received]]:
    with http_server(*(replies or (Reply(),))) as server:
        output = run("http", {**config, "url": f"{server.url}{config.get('url', '/')}"}, lent=lent)
    return output.data, server.received


def test_http_connection_is_sent_as_its_kind_says() -> None:
    """The key stands in no configuration."""
    _, received = send({"connectionId": "c"}, lent=RecordingLent(credentials=[KEY]))

    assert received[0].headers["x-own"] == "k3y!"


@pytest.mark.parametrize("config", [{"connectionId": "c"}, {"authType": "apiKey", "authCredentials": "k3y!"}])
def test_http_key_can_be_a_parameter_of_the_query(config: dict[str, Any]) -> None:
    lent = RecordingLent(credentials=[KEY])

    _, received = send({**config, "url": "/a?b=1", "apiKeyName": "key", "apiKeyIn": "query"}, lent=lent)

    assert received[0].path == "/a?b=1&key=k3y%21"
    assert "x-own" not in received[0].headers


def test_http_key_in_the_query_is_in_no_error() -> None:
    config = {"authType": "apiKey", "authCredentials": "k3y", "apiKeyIn": "query", "failOnStatus": True}

    with pytest.raises(ProviderError) as failure:
        send(config, Reply(status=404))

    assert "k3y" not in str(failure.value)


def test_http_key_has_the_header_of_the_author() -> None:
    _, received = send({"authType": "apiKey", "authCredentials": "k3y", "apiKeyName": "X-Token"})

    assert (received[0].headers["x-token"], received[0].headers.get("x-api-key")) == ("k3y", None)


def test_http_of_a_connection_that_is_not_there_sends_nothing() -> None:
    with http_server(Reply()) as server, pytest.raises(ConfigError) as failure:
        run("http", {"url": server.url, "connectionId": "gone"})

    assert (failure.value.code, server.received) == ("credential_missing", [])


def test_http_password_is_hidden_as_it_is_sent() -> None:
    """In Base64 it is another text, which services are known to echo."""
    lent = RecordingLent()

    _, received = send({"authType": "basic", "authCredentials": "ada:s3cret"}, lent=lent)

    assert received[0].headers["authorization"].removeprefix("Basic ") in lent.hidden


def test_http_connection_does_not_go_along_to_another_host() -> None:
    with http_server(Reply()) as other:
        reply = Reply(status=307, headers={"Location": other.url})
        send({"connectionId": "c"}, reply, lent=RecordingLent(credentials=[KEY]))

    assert "k3y!" not in str(other.received[0])


def test_http_multipart_sends_fields_and_files() -> None:
    lent = RecordingLent()
    lent.files.write("in/a.txt", b"hello")
    config = {"method": "POST", "bodyType": "multipart", "body": {"title": "t"}, "files": {"doc": "in/a.txt"}}

    _, received = send(config, lent=lent)

    assert received[0].headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="doc"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n' in received[0].body
    assert b'name="title"\r\n\r\nt\r\n' in received[0].body


def test_http_multipart_with_a_content_type_of_its_own_is_refused() -> None:
    """Without the boundary nobody can read it."""
    config = {"method": "POST", "bodyType": "multipart", "body": {"a": 1}, "headers": {"Content-Type": "x/y"}}

    with pytest.raises(InputError, match="headers"):
        send(config)


def test_http_answer_that_is_no_text_is_stored() -> None:
    lent = RecordingLent()

    data, _ = send({"url": "/logo"}, PNG, lent=lent)

    assert data["data"]["path"] == f"runs/{EXECUTION}/node/logo.png"
    assert lent.files.read(data["data"]["path"], max_bytes=100) == PNG.body


@pytest.mark.parametrize("code", [301, 302, 307])
def test_http_redirect_that_is_not_to_be_followed_is_an_answer(code: int) -> None:
    data, received = send({"followRedirects": False}, Reply(status=code, headers={"Location": "/next"}))

    assert (data["status"], data["headers"]["location"], len(received)) == (code, "/next", 1)


def test_http_redirects_are_followed_as_often_as_the_author_says() -> None:
    circle = Reply(status=302, headers={"Location": "/again"})
    with http_server(circle) as server, pytest.raises(ProviderError, match="More than 2 redirects") as failure:
        run("http", {"url": server.url, "maxRedirects": 2})

    assert (failure.value.code, len(server.received)) == ("too_many_redirects", 3)


def test_http_answer_is_bounded_by_the_site() -> None:
    bound(max_answer_bytes=4)
    try:
        with pytest.raises(InputError) as failure:
            send({}, Reply(body=b"12345"))
    finally:
        bound(max_answer_bytes=DEFAULT_MAX_ANSWER_BYTES)

    assert failure.value.code == "response_too_large"
    assert network.max_answer_bytes() == DEFAULT_MAX_ANSWER_BYTES


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"connectionId": "c"}, []),
        ({"connectionId": "c", "authType": "bearer", "authCredentials": "t"}, ["authType"]),
        ({"apiKeyName": "X Y"}, ["apiKeyName"]),
        ({"files": {"a": "b"}}, ["files"]),
        ({"files": {"a": "b"}, "bodyType": "multipart"}, []),
        ({"maxRedirects": 21}, ["maxRedirects"]),
        ({"responseType": "xml"}, ["responseType"]),
        ({"retryCount": 2}, []),
        ({"retryCount": 11}, ["retryCount"]),
        ({"retryCount": "{{n}}"}, ["retryCount"]),
    ],
)
def test_http_as_drawn_is_checked_in_every_field(config: dict[str, Any], fields: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["http"], {"url": "http://a.test", **config})] == fields


@pytest.mark.parametrize(
    ("drawn_as", "config", "implied"),
    [
        ("webhook", {}, {"method": "POST"}),
        ("webhook", {"method": "PUT"}, {}),
        ("http", {}, {}),
    ],
)
def test_http_drawn_as_a_webhook_posts(drawn_as: str, config: dict[str, Any], implied: dict[str, Any]) -> None:
    """The other name of the type says so."""
    assert CATALOGUE[drawn_as].handler.implied(drawn_as, config) == implied
