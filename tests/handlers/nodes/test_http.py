from __future__ import annotations

import base64
import json
import socket
import time
from contextlib import suppress
from threading import Timer
from time import monotonic
from typing import Any

import pytest
from pydantic import ValidationError

from handlers.errors import (
    RETRYABLE_STATUSES,
    Cancelled,
    ConfigError,
    InputError,
    NodeTimeout,
    ProviderError,
    RateLimited,
    Unreachable,
)
from handlers.network import MAX_REDIRECTS
from handlers.network.content import DEFAULT_MAX_ANSWER_BYTES as MAX_RESPONSE_BYTES
from handlers.nodes.http import HttpData
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, RecordingLent, attempt, run
from tests.handlers.servers import Received, Reply, http_server, read_request, socket_server, stay_silent

JSON = {"Content-Type": "application/json"}


def send(config: dict[str, Any], *replies: Reply) -> tuple[Any, list[Received]]:
    """What comes of a node with *config* whose URL is a path on a server that gives the *replies*."""
    with http_server(*(replies or (Reply(),))) as server:
        output = run("http", {**config, "url": f"{server.url}{config.get('url', '/')}"})
    return output, server.received


def test_http_answer_is_data_with_status_headers_and_time() -> None:
    """The output has the shape that existing workflows read."""
    output, _ = send({}, Reply(headers={**JSON, "X-Trace": "7"}, body=b'{"ok": true}'))

    HttpData.model_validate(output.data)
    data = dict(output.data)
    headers, response_time = data.pop("headers"), data.pop("responseTime")
    assert data == {"status": 200, "statusText": "OK", "data": {"ok": True}}
    assert (headers["content-type"], headers["x-trace"]) == ("application/json", "7")
    assert 0 <= response_time < 20_000


@pytest.mark.parametrize(
    "rows", [{"X-One": "1", "X-Two": 2}, [{"key": "X-One", "value": "1"}, {"key": "X-Two", "value": 2}]]
)
def test_http_headers_in_both_spellings_are_sent(rows: Any) -> None:
    """As an object, or as the table of an editor."""
    _, received = send({"headers": rows})

    assert (received[0].headers["x-one"], received[0].headers["x-two"]) == ("1", "2")


@pytest.mark.parametrize(
    ("url", "params", "path"),
    [
        ("/", {"q": "a b", "n": 1}, "/?q=a+b&n=1"),
        ("/?x=1", {"q": "ü"}, "/?x=1&q=%C3%BC"),  # what the URL has stays
        ("/?x=1", [], "/?x=1"),
        ("/", [{"key": "q", "value": "a"}, {"key": "", "value": "empty row"}], "/?q=a"),
        ("/", {"tag": ["a", "b"]}, "/?tag=a&tag=b"),
        ("/", {"q": None}, "/"),  # a reference to a node that was skipped
        ("/", None, "/"),
        ("/", {"q": "\ud83d"}, "/?q=%3F"),  # half a character, which no encoding has
    ],
)
def test_http_query_parameters_are_added_to_the_url(url: str, params: Any, path: str) -> None:
    """Encoded, in order, null left out."""
    _, received = send({"url": url, "queryParams": params})

    assert received[0].path == path


@pytest.mark.parametrize(
    ("auth_type", "credentials", "header", "value"),
    [
        ("basic", "ada:s3cret", "authorization", "Basic " + base64.b64encode(b"ada:s3cret").decode()),
        ("bearer", "token", "authorization", "Bearer token"),
        ("bearer", "token\n", "authorization", "Bearer token"),  # as it was copied
        ("apiKey", "key", "x-api-key", "key"),
    ],
)
def test_http_credentials_are_sent_as_their_type_says(
    auth_type: str, credentials: str, header: str, value: str
) -> None:
    """Each type has its header."""
    _, received = send({"authType": auth_type, "authCredentials": credentials})

    assert received[0].headers[header] == value


@pytest.mark.parametrize("credentials", [None, "", "two\r\nX-Admin: lines"])
def test_http_credentials_that_cannot_be_sent_fail_the_node(credentials: str | None) -> None:
    """A request without its key, or with more than it, must not leave."""
    config = {"url": "http://127.0.0.1:9/", "authType": "bearer", "authCredentials": credentials}

    with pytest.raises(ConfigError, match="authCredentials"):
        run("http", config)


@pytest.mark.parametrize(
    ("body_type", "body", "content_type", "sent"),
    [
        ("json", {"a": [1, None]}, "application/json", b'{"a":[1,null]}'),
        ("json", '{"a": 1}', "application/json", b'{"a": 1}'),  # text that is JSON goes as it is
        ("json", [1], "application/json", b"[1]"),
        ("json", False, "application/json", b"false"),
        ("form", {"a": "1 2", "b": ["x", "y"]}, "application/x-www-form-urlencoded", b"a=1+2&b=x&b=y"),
        ("form", [{"key": "a", "value": 1}], "application/x-www-form-urlencoded", b"a=1"),
        ("form", "a=1&b=2", "application/x-www-form-urlencoded", b"a=1&b=2"),  # encoded already
        ("raw", "grün", "text/plain; charset=utf-8", "grün".encode()),
        ("raw", {"a": 1}, "text/plain; charset=utf-8", b'{"a":1}'),
    ],
)
def test_http_body_is_sent_as_its_type_says(body_type: str, body: Any, content_type: str, sent: bytes) -> None:
    """With the content type that belongs to it."""
    _, received = send({"method": "POST", "bodyType": body_type, "body": body})

    assert (received[0].headers["content-type"], received[0].body) == (content_type, sent)


@pytest.mark.parametrize("body", [None, ""])
def test_http_without_a_body_sends_none(body: Any) -> None:
    """Neither does an editor's empty field."""
    _, received = send({"method": "DELETE", "body": body})

    assert "content-type" not in received[0].headers
    assert received[0].body == b""


@pytest.mark.parametrize(("body_type", "body"), [("json", "not json"), ("json", '{"a": NaN}'), ("form", 7)])
def test_http_body_that_is_not_of_its_type_fails_the_node(body_type: str, body: Any) -> None:
    """The other side should not have to find out."""
    with pytest.raises(InputError):
        run("http", {"url": "http://127.0.0.1:9/", "method": "POST", "bodyType": body_type, "body": body})


def test_http_content_type_of_the_author_wins() -> None:
    """APIs have types of their own."""
    config = {"method": "POST", "headers": {"content-type": "application/vnd.api+json"}, "body": {}}

    _, received = send(config)

    assert received[0].headers["content-type"] == "application/vnd.api+json"


@pytest.mark.parametrize(
    ("method", "headers", "key"),
    [
        ("GET", {}, None),
        ("HEAD", {}, None),
        ("post", {}, attempt("trigger", {}).idempotency_key),  # methods in small letters are understood
        ("DELETE", {}, attempt("trigger", {}).idempotency_key),
        ("PUT", {"idempotency-key": "mine"}, "mine"),
    ],
)
def test_http_idempotency_key_goes_with_what_changes_something(
    method: str, headers: dict[str, str], key: str | None
) -> None:
    """The same in every attempt, so that a service can tell a repetition; the author's own wins."""
    _, received = send({"method": method, "headers": headers})

    assert (received[0].method, received[0].headers.get("idempotency-key")) == (method.upper(), key)


@pytest.mark.parametrize("status", [400, 404, 410, 422, 501])
def test_http_status_that_stays_is_data(status: int) -> None:
    """An answer is an answer."""
    output, _ = send({}, Reply(status=status, headers=JSON, body=b'{"error": "no"}'))

    assert (output.data["status"], output.data["data"]) == (status, {"error": "no"})


@pytest.mark.parametrize("status", sorted(RETRYABLE_STATUSES))
def test_http_status_that_may_pass_is_raised_with_its_answer(status: int) -> None:
    """Worth another attempt; when there is none, the answer is the output."""
    reply = Reply(status=status, headers={**JSON, "Retry-After": "3"}, body=b'{"later": true}')

    with pytest.raises(ProviderError) as failure:
        send({}, reply)

    error = failure.value
    assert (error.status, error.retryable, error.retry_after) == (status, True, 3)
    assert isinstance(error, RateLimited) is (status == 429)
    answer: Any = error.output
    assert (answer.data["status"], answer.data["data"]) == (status, {"later": True})


@pytest.mark.parametrize(("status", "retryable"), [(404, False), (503, True)])
def test_http_status_that_the_author_takes_for_a_failure_is_one(status: int, retryable: bool) -> None:
    """`failOnStatus`: the answer is told in the error, and is no output."""
    with pytest.raises(ProviderError) as failure:
        send({"failOnStatus": True}, Reply(status=status, headers=JSON, body=b'{"error": "no"}'))

    error = failure.value
    assert (error.status, error.retryable, error.output) == (status, retryable, None)
    assert error.details == {"status": status, "body": '{"error":"no"}', "cut": False}


def test_http_failure_of_a_request_tells_no_secrets() -> None:
    """Keys stand in queries; errors are read by many."""
    with pytest.raises(ProviderError) as failure:
        send({"url": "/path?key=secret", "failOnStatus": True}, Reply(status=404))

    message = str(failure.value)
    assert message.startswith("GET http://127.0.0.1:")
    assert message.endswith("/path answered 404 Not Found.")


def test_http_redirect_is_followed_with_the_nodes_headers() -> None:
    """On the same host the author's headers stay."""
    output, received = send(
        {"headers": {"X-Own": "1"}, "authType": "bearer", "authCredentials": "token"},
        Reply(status=302, headers={"Location": "/next"}),
        Reply(body=b"there"),
    )

    assert output.data["data"] == "there"
    assert [(request.path, request.headers["x-own"], request.headers["authorization"]) for request in received] == [
        ("/", "1", "Bearer token"),
        ("/next", "1", "Bearer token"),
    ]


def test_http_redirect_to_another_host_leaves_the_headers_behind() -> None:
    """A key is for the host that the author named."""
    with http_server(Reply(body=b"elsewhere")) as other:
        output, _ = send(
            {
                "headers": {"X-Token": "secret", "Accept": "text/plain"},
                "authType": "apiKey",
                "authCredentials": "secret",
            },
            Reply(status=307, headers={"Location": f"{other.url}/landing"}),
        )

    headers = other.received[0].headers
    assert output.data["data"] == "elsewhere"
    assert headers["accept"] == "text/plain"
    assert [name for name, value in headers.items() if "secret" in value] == []


def test_http_redirect_of_a_post_that_keeps_its_method_keeps_its_body() -> None:
    """307 repeats the request as it was."""
    _, received = send(
        {"method": "POST", "body": {"a": 1}}, Reply(status=307, headers={"Location": "/next"}), Reply(body=b"done")
    )

    assert [(request.method, request.body) for request in received] == [("POST", b'{"a":1}')] * 2


def test_http_redirects_without_end_fail_the_node() -> None:
    """A circle is no answer."""
    circle = Reply(status=302, headers={"Location": "/again"})
    with http_server(circle) as server, pytest.raises(ProviderError) as failure:
        run("http", {"url": server.url})

    assert failure.value.code == "too_many_redirects"
    assert len(server.received) == MAX_REDIRECTS + 1


def test_http_answer_beyond_the_limit_fails_the_node_without_reading_on() -> None:
    """A download is no output."""
    sent = 0

    def pour(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        with suppress(OSError):
            while sent < 10 * MAX_RESPONSE_BYTES:
                sent += connection.send(b"x" * 65536)

    with socket_server(pour) as (host, port), pytest.raises(InputError) as failure:
        run("http", {"url": f"http://{host}:{port}/"})

    assert failure.value.code == "response_too_large"
    assert sent < 10 * MAX_RESPONSE_BYTES


def drip(connection: socket.socket) -> None:
    """An answer that always goes on and never ends."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


@pytest.mark.parametrize("talk", [stay_silent, drip])
def test_http_answer_that_does_not_come_whole_in_time_fails_as_timeout(talk: Any) -> None:
    """The time is for the whole answer, not for each piece."""
    with socket_server(talk) as (host, port), pytest.raises(NodeTimeout) as failure:
        run("http", {"url": f"http://{host}:{port}/slow?key=secret", "timeout": 0.3})

    assert failure.value.code == "timeout"
    assert str(failure.value) == f"GET http://{host}:{port}/slow: no complete answer within 0.3 s."


@pytest.mark.parametrize("talk", [stay_silent, drip])
def test_http_cancelled_while_it_waits_ends_within_a_second(talk: Any) -> None:
    """Nobody waits for a service on behalf of a run that is over."""
    lent = RecordingLent()
    with socket_server(talk) as (host, port):
        cancelling = Timer(0.2, lent.cancel)
        cancelling.start()
        started = monotonic()

        with pytest.raises(Cancelled):
            run("http", {"url": f"http://{host}:{port}/"}, lent=lent)

        took = monotonic() - started
        cancelling.join()

    assert took < 1.2


def test_http_without_a_server_fails_as_unreachable() -> None:
    """Nothing was answered, so another attempt may help."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(Unreachable) as failure:
        run("http", {"url": f"http://127.0.0.1:{port}/"})

    assert failure.value.retryable


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"url": "https://example.test/{{id}}"}, []),
        (
            {"url": "{{start.url}}", "method": "{{start.method}}", "headers": "{{start.headers}}", "timeout": "{{t}}"},
            [],
        ),
        ({"url": "https://example.test", "headers": [{"key": "A", "value": "{{b}}"}]}, []),
        ({}, ["url"]),
        ({"url": "example.test/path"}, ["url"]),  # no scheme
        ({"url": "ftp://example.test"}, ["url"]),
        ({"url": "http://"}, ["url"]),
        ({"url": "http://example.test:port"}, ["url"]),
        ({"url": "http://a.test", "method": "FETCH"}, ["method"]),
        ({"url": "http://a.test", "timeout": 301}, ["timeout"]),
        ({"url": "http://a.test", "timeout": 0}, ["timeout"]),
        ({"url": "http://a.test", "headers": "X: 1"}, ["headers"]),
        ({"url": "http://a.test", "headers": {"X Y": "1"}}, ["headers"]),
        ({"url": "http://a.test", "headers": {"X": "1\r\nY: 2"}}, ["headers"]),  # a second header smuggled in
        ({"url": "http://a.test", "queryParams": [1]}, ["queryParams"]),
        ({"url": "http://a.test", "authType": "basic"}, ["authCredentials"]),
        ({"url": "http://a.test", "authType": "basic", "authCredentials": "{{env.KEY}}"}, []),
        ({"url": "http://a.test", "authType": "oauth"}, ["authType"]),
    ],
)
def test_http_as_drawn_is_checked(config: dict[str, Any], fields: list[str]) -> None:
    """A drawing that cannot run is refused with its fields."""
    assert [field for field, _ in check_config(CATALOGUE["http"], config)] == fields


@pytest.mark.parametrize("url", ["{{start.url}}", "", None, "javascript:alert(1)"])
def test_http_of_a_url_that_is_none_once_resolved_is_refused(url: Any) -> None:
    """What a reference yields is checked like what is written."""
    with pytest.raises(ValidationError):
        run("http", {"url": url})


def test_http_json_body_with_half_a_character_is_sent_escaped() -> None:
    """Text cut in the middle of a character is still JSON."""
    _, received = send({"method": "POST", "body": {"text": "\ud83d"}})

    assert json.loads(received[0].body) == {"text": "\ud83d"}
