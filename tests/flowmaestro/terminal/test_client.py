"""Against an API of a few lines; the real one is met in tests/e2e."""

from __future__ import annotations

from typing import Any

import pytest

from flowmaestro.terminal import ApiError, Client
from handlers import JSONObject
from tests.flowmaestro.terminal.api import Api

DEFINITION: JSONObject = {"name": "Greeting", "nodes": {}, "edges": []}


SEARCH = "GET /workflows?search=Greeting&per_page=100"


def stored(**changes: Any) -> dict[str, Any]:
    return {"id": "1", "version": 1, "definition": DEFINITION, "unpublished_changes": False, "issues": [], **changes}


def test_store_workflow_that_is_there_unchanged_takes_it(api: Api, client: Client) -> None:
    """A second demo does not fill the list with copies."""
    api.answers = {
        SEARCH: (200, [{"id": "1", "name": "Greeting", "version": 1}]),
        "GET /workflows/1": (200, stored()),
    }

    assert client.store_workflow(DEFINITION) == "1"
    assert api.keys == {"Bearer fm_live_x"}


@pytest.mark.parametrize(
    ("summary", "found"),
    [
        ({"id": "1", "name": "Greeting", "version": 1}, stored(definition={"name": "Greeting"})),  # another drawing
        ({"id": "1", "name": "Greeting", "version": 1}, stored(unpublished_changes=True)),  # what runs is older
        ({"id": "1", "name": "Greeting", "version": None}, stored()),  # a draft
        ({"id": "1", "name": "Greetings", "version": 1}, stored()),  # the search finds parts of names
    ],
)
def test_store_workflow_that_differs_makes_its_own(
    api: Api, client: Client, summary: dict[str, Any], found: dict[str, Any]
) -> None:
    """Somebody's workflow of the same name stays as it is."""
    api.answers = {
        SEARCH: (200, [summary]),
        "GET /workflows/1": (200, found),
        "POST /workflows": (201, stored(id="2")),
    }

    assert client.store_workflow(DEFINITION) == "2"
    assert api.calls[-1] == ("POST /workflows", {"name": "Greeting", "description": "", "definition": DEFINITION})


def test_store_workflow_with_faults_tells_them_all(api: Api, client: Client) -> None:
    """An author repairs in one round; warnings do not keep it from running."""
    issues = [
        {"severity": "error", "node_id": "a", "message": "No prompt."},
        {"severity": "warning", "node_id": "a", "message": "Unused."},
        {"severity": "error", "message": "No nodes."},
    ]
    api.answers = {SEARCH: (200, []), "POST /workflows": (201, stored(version=None, issues=issues))}

    with pytest.raises(ApiError) as caught:
        client.store_workflow(DEFINITION)

    assert str(caught.value) == "'Greeting' cannot run:\n  a: No prompt.\n  Greeting: No nodes."


def test_call_that_is_refused_has_the_apis_words_and_code(api: Api, client: Client) -> None:
    """The error body is made to be shown."""
    error = {"code": "not_found", "message": "No such workflow", "details": {"id": "9"}}
    api.answers = {"POST /workflows/9/execute": (404, {"error": error, "meta": {}})}

    with pytest.raises(ApiError) as caught:
        client.execute("9", {})

    assert (str(caught.value), caught.value.code, caught.value.details) == (
        "No such workflow",
        "not_found",
        {"id": "9"},
    )


def test_call_that_nobody_answers_says_where(client: Client, api: Api) -> None:
    """A refused connection is an ApiError like any other, so that one handler is enough."""
    client = Client("http://127.0.0.1:1", "fm_live_x")

    with pytest.raises(ApiError) as caught:
        client.execution("9")

    assert caught.value.code == "unreachable"
    assert str(caught.value).startswith("http://127.0.0.1:1 does not answer: ")


def test_executions_are_asked_for_by_what_is_wanted(api: Api, client: Client) -> None:
    """The filters are those of the API, as it spells them."""
    api.answers = {"GET /executions?status=failed&per_page=5": (200, [{"id": "9"}])}

    assert client.executions(status="failed", per_page=5) == [{"id": "9"}]


def test_top_nodes_are_read_page_by_page(api: Api, client: Client) -> None:
    """A drawing of more than a hundred nodes has them on several."""
    pages = [[{"node_id": f"n{number}"} for number in range(100)], [{"node_id": "last"}]]
    address = "GET /executions/9/nodes?scope=&page={}&per_page=100"
    api.answers = {address.format(number): (200, page) for number, page in enumerate(pages, start=1)}

    assert client.top_nodes("9") == [*pages[0], *pages[1]]


@pytest.mark.parametrize(("reason", "body"), [("Wrong order", {"reason": "Wrong order"}), (None, {})])
def test_cancel_says_why_where_somebody_did(api: Api, client: Client, reason: str | None, body: JSONObject) -> None:
    """Otherwise the server has a reason of its own."""
    api.answers = {"POST /executions/9/cancel": (200, {"id": "9", "status": "cancelled", "message": "It is over."})}

    assert client.cancel("9", reason=reason) == "It is over."
    assert api.calls == [("POST /executions/9/cancel", body)]


def test_join_gives_what_execute_gives(api: Api, client: Client) -> None:
    """Whoever follows need not know who started it."""
    ticket = {"execution_id": "9", "token": "t", "websocket_url": "ws://x/ws"}
    api.answers = {"POST /executions/9/ticket": (201, ticket)}

    assert client.join("9") == {"execution_id": "9", "realtime": ticket}
