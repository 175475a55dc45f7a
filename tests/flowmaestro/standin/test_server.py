from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from flowmaestro.standin import StandIn, serve

LETTER = "Dear Ada,\n\nthank you for your order A-1.\n\nKind regards,\nthe stand-in for a language model"
MESSAGES: Any = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Customer: Ada\nOrder: A-1"}]


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with serve(token_seconds=0) as server:
        yield server


@pytest.fixture
def client(standin: StandIn) -> Iterator[openai.OpenAI]:
    """The library that real users talk to the real service with."""
    with openai.OpenAI(api_key="any", base_url=f"{standin.url}/v1", max_retries=0, timeout=20) as client:
        yield client


def test_completion_asked_for_whole_is_one_message(client: openai.OpenAI) -> None:
    """As OpenAI answers without streaming."""
    completion = client.chat.completions.create(model="small", messages=MESSAGES)

    assert completion.choices[0].message.content == LETTER
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.to_dict() == {"prompt_tokens": 6, "completion_tokens": 16, "total_tokens": 22}


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}], ids=["plain", "with usage"])
def test_completion_streamed_comes_token_by_token_and_counts_when_asked(
    client: openai.OpenAI, options: dict[str, Any]
) -> None:
    """The usage comes in a last chunk without choices, and only to who asks for it."""
    with client.chat.completions.create(model="small", messages=MESSAGES, stream=True, **options) as stream:
        chunks = list(stream)

    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert pieces == ["", "Dear", " Ada,", "\n\nthank", *pieces[4:-1], None]
    assert "".join(piece or "" for piece in pieces) == LETTER
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == ([22] if options else [])


def test_completion_of_one_prompt_is_always_the_same(client: openai.OpenAI) -> None:
    """A demonstration can be repeated, a test can say what to expect."""
    texts = {
        client.chat.completions.create(model="small", messages=MESSAGES).choices[0].message.content for _ in range(3)
    }

    assert texts == {LETTER}


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_completion_beyond_its_limit_is_cut(client: openai.OpenAI, limit: str) -> None:
    """Under the old name and the new."""
    limits: dict[str, Any] = {limit: 2}

    choice = client.chat.completions.create(model="small", messages=MESSAGES, **limits).choices[0]

    assert (choice.message.content, choice.finish_reason) == ("Dear Ada,", "length")


def test_completion_is_remembered_for_who_tests_against_it(client: openai.OpenAI, standin: StandIn) -> None:
    """What was asked can be looked at."""
    client.chat.completions.create(model="small", messages=MESSAGES, temperature=0.5)

    assert list(standin.received) == [{"model": "small", "messages": MESSAGES, "temperature": 0.5}]


@pytest.mark.parametrize(
    ("model", "status", "kind", "code"),
    [
        ("fail-429", 429, "requests", "rate_limit_exceeded"),
        ("fail-quota", 429, "insufficient_quota", "insufficient_quota"),
        ("fail-500", 500, "server_error", None),
    ],
)
def test_model_that_fails_answers_in_openais_shape(
    client: openai.OpenAI, model: str, status: int, kind: str, code: str | None
) -> None:
    """The library's own errors come of it."""
    with pytest.raises(openai.APIStatusError) as failure:
        client.chat.completions.create(model=model, messages=MESSAGES)

    error = failure.value
    assert (error.status_code, error.type, error.code) == (status, kind, code)


def test_model_that_is_busy_says_when_to_come_back(client: openai.OpenAI) -> None:
    """A client can be tested for waiting."""
    with pytest.raises(openai.RateLimitError) as failure:
        client.chat.completions.create(model="fail-429", messages=MESSAGES)

    assert failure.value.response.headers["retry-after"] == "1"


def test_model_that_cuts_breaks_off_after_three_tokens(client: openai.OpenAI) -> None:
    """The connection ends, the stream does not."""
    seen: list[str | None] = []

    with (
        pytest.raises(openai.APIConnectionError),
        client.chat.completions.create(model="cut", messages=MESSAGES, stream=True) as stream,
    ):
        seen.extend(chunk.choices[0].delta.content for chunk in stream)

    assert seen == ["", "Dear", " Ada,", "\n\nthank"]


@pytest.mark.parametrize("model", ["hang", "stall"])
def test_model_that_is_silent_stays_so_until_the_caller_leaves(client: openai.OpenAI, model: str) -> None:
    """Before the first token, or after the third."""
    with pytest.raises(openai.APITimeoutError), client.with_options(timeout=0.3) as impatient:
        list(impatient.chat.completions.create(model=model, messages=MESSAGES, stream=True))


def post(standin: StandIn, body: Any, **headers: str) -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx2.post(f"{standin.url}/v1/chat/completions", content=content, headers=headers, timeout=20)


KEY = {"Authorization": "Bearer any"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "message"),
    [
        ({"model": "m", "messages": MESSAGES}, {}, 401, "You didn't provide an API key."),
        ({"model": "m", "messages": MESSAGES}, {"Authorization": "Bearer"}, 401, "You didn't provide an API key."),
        (b"{", KEY, 400, "We could not parse the JSON body of your request."),
        ([], KEY, 400, "We could not parse the JSON body of your request."),
        ({"messages": MESSAGES}, KEY, 400, "you must provide a model parameter"),
        ({"model": "m"}, KEY, 400, "Invalid type for 'messages': expected an array of objects."),
        ({"model": "m", "messages": ["hi"]}, KEY, 400, "Invalid type for 'messages': expected an array of objects."),
        (b" " * 2_000_000, KEY, 413, "The body needs a length, of at most 1048576 bytes."),
    ],
)
def test_request_that_is_wrong_is_told_so(
    standin: StandIn, body: Any, headers: dict[str, str], status: int, message: str
) -> None:
    """In the shape of OpenAI's errors."""
    response = post(standin, body, **headers)

    assert (response.status_code, response.json()["error"]["message"]) == (status, message)


@pytest.mark.parametrize(
    ("path", "status"), [("/health", 200), ("/stock/", 404), ("/stock/a/b", 404), ("/v1/models", 404)]
)
def test_path_that_is_asked_for_is_there_or_not(standin: StandIn, path: str, status: int) -> None:
    """It stands in for two services and no more."""
    assert httpx2.get(standin.url + path, timeout=20).status_code == status


def test_health_says_that_it_is_a_stand_in(standin: StandIn) -> None:
    """Nobody should take it for the real thing."""
    assert httpx2.get(f"{standin.url}/health", timeout=20).json() == {"status": "ok", "service": "stand-in"}


def test_stock_of_an_article_is_always_the_same(standin: StandIn) -> None:
    """Its name decides how many there are, whatever case it is written in."""
    answers = [httpx2.get(f"{standin.url}/stock/{sku}", timeout=20).json() for sku in ("DSK-2", "DSK-2", "dsk-2")]

    assert answers == [{"sku": sku, "available": 14, "warehouse": "Lyon"} for sku in ("DSK-2", "DSK-2", "dsk-2")]


def test_stock_is_listed_page_by_page_and_even_pages_are_busy_at_every_other_request(standin: StandIn) -> None:
    """So that a retry has something to do, each time the same."""
    asked = ["", "?page=1", "?page=2", "?page=2", "?page=2", "?page=2", "?page=3"]

    answers = [httpx2.get(f"{standin.url}/stock{page}") for page in asked]

    assert [answer.status_code for answer in answers] == [200, 200, 503, 200, 503, 200, 200]
    assert answers[2].headers["Retry-After"] == "1"
    assert [answers[at].json()["next"] for at in (0, 1, 3, 6)] == [2, 2, 3, None]


@pytest.mark.parametrize("page", ["0", "4", "x", "-1", "9999999", "²"])
def test_stock_has_no_such_page(standin: StandIn, page: str) -> None:
    assert httpx2.get(f"{standin.url}/stock", params={"page": page}).status_code == 404


def test_offer_is_a_suppliers_or_there_is_none(standin: StandIn) -> None:
    """Not every supplier has every article."""
    answers = [httpx2.get(f"{standin.url}/offers/{who}/LMP-ARC-01") for who in ("norden", "adria", "nobody")]

    assert [answer.status_code for answer in answers] == [200, 404, 404]
    assert answers[0].json() == {"supplier": "norden", "sku": "LMP-ARC-01", "lot": 15, "price": 19330, "days": 8}


def test_stock_of_many_articles_has_some_that_are_gone(standin: StandIn) -> None:
    """A demonstration needs both ways of a branch."""
    with httpx2.Client(base_url=standin.url, timeout=20) as client:
        left = [client.get(f"/stock/SKU-{number}").json()["available"] for number in range(40)]

    assert (min(left), 0 < left.count(0) < 20, max(left) < 60) == (0, True, True)


def test_module_run_says_where_it_is_and_ends_when_told() -> None:
    """As the supervisor starts and ends it."""
    command = [sys.executable, "-m", "flowmaestro.standin", "--port", "0", "--token-ms", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split()[-1].removesuffix("/stock/<sku>.")

        health = httpx2.get(f"{url}/health", timeout=20).json()
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)

    assert line.startswith("A stand-in, not a language model, answers at http://127.0.0.1:")
    assert (health["service"], code) == ("stand-in", 0)
