from __future__ import annotations

from hashlib import sha256
from threading import Timer
from time import monotonic

import pytest

from handlers import Cancelled, ConfigError, InputError, ProviderError
from handlers.integrations import PagePaging, perform
from handlers.ports import Credential
from tests.handlers.fakes import RecordingLent
from tests.handlers.integrations.played import asked, reply
from tests.handlers.integrations.toys import do, shop
from tests.handlers.servers import Reply, socket_server, stay_silent

ARTICLE = {"shelf": "a", "article": "pen"}


@pytest.mark.parametrize(
    ("operation", "key", "sent"),
    [
        ("put", "run:node:scope", "run:node:scope"),
        ("put", "k" * 256, sha256(b"k" * 256).hexdigest()),  # longer than services take
        ("list", "run:node:scope", None),  # it changes nothing
    ],
)
def test_request_that_changes_something_has_the_key_of_its_node(operation: str, key: str, sent: str | None) -> None:
    """The same in every attempt, for services that know one."""
    parameters = ARTICLE if operation == "put" else {"shelf": "a"}

    _, (request,) = do(shop(idempotency_header="X-Once"), operation, parameters, reply({}), key=key)

    assert request.headers.get("x-once") == sent


def test_request_keeps_to_the_limits_of_the_credential_and_asks_the_breaker_of_the_host() -> None:
    """Two credentials have two allowances, and one service is up or down for both."""
    lent = RecordingLent()

    do(shop(at_once=3, per_minute=60), "put", ARTICLE, reply({}), lent=lent)

    assert lent.limits.slots == [("shop:c", 3, 60)]
    assert lent.limits.breakers == ["shop:127.0.0.1"]


@pytest.mark.parametrize(
    "address", ["ftp://shop.example", "shop.example", "http://", "https://x.example/?a=1", "http://x:port"]
)
def test_base_url_of_a_credential_that_is_none_is_told(address: str) -> None:
    with pytest.raises(ConfigError, match="base_url of the credential 'Ours'"):
        do(shop(), "put", ARTICLE, reply({}), base_url=address, api_key="the-key")


def test_answer_that_is_no_json_is_not_taken_for_one() -> None:
    """The web page of a wrong address, say."""
    page = Reply(headers={"Content-Type": "text/html"}, body=b"<h1>Welcome</h1>")

    with pytest.raises(ProviderError, match="text/html where JSON was expected") as failure:
        do(shop(), "put", ARTICLE, page)

    assert failure.value.code == "invalid_response"


def test_answer_without_content_is_null() -> None:
    data, _ = do(shop(), "put", ARTICLE, Reply(status=204))

    assert data is None


def test_request_without_parameters_for_the_body_has_none() -> None:
    _, (request,) = do(shop(), "list", {"shelf": "a"}, reply({}))

    assert asked(request)[2] is None
    assert "content-type" not in request.headers


def test_list_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """All its pages together have a bound: a worker holds them at once."""
    monkeypatch.setattr("handlers.integrations.performing.MAX_LIST_BYTES", 150)
    page = reply([{"id": "x" * 80}, {"id": "y"}])

    with pytest.raises(InputError) as failure:
        do(shop(paging=PagePaging(size="n", most=2)), "list", {"shelf": "a"}, page)

    assert failure.value.code == "response_too_large"


def test_list_tells_how_far_it_is() -> None:
    lent = RecordingLent()

    do(
        shop(paging=PagePaging(size="n", most=2)),
        "list",
        {"shelf": "a", "limit": 4},
        reply([1, 2]),
        reply([3]),
        lent=lent,
    )

    assert lent.told == [(0.5, "2 items"), (0.75, "3 items")]


def test_request_ends_when_nobody_wants_its_answer() -> None:
    """Within a second, though the service says nothing."""
    lent = RecordingLent()
    operation = shop().operations["list"]
    with socket_server(stay_silent) as (host, port):
        credential = Credential(
            id="c", kind="api_key", name="Ours", values={"base_url": f"http://{host}:{port}", "api_key": "the-key"}
        )
        Timer(0.1, lent.cancel).start()
        started = monotonic()

        with pytest.raises(Cancelled):
            perform(
                operation,
                operation.parameters.model_validate({"shelf": "a"}),
                credential=credential,
                idempotency_key="k",
                lent=lent,
            )

    assert monotonic() - started < 20
