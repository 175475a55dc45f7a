from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from handlers import PauseKind
from tests.executions.rows import NOON
from tests.factories import ExecutionFactory, UserFactory, VoteFactory, WaitpointFactory, WorkspaceFactory

LIST = "/admin/executions/waitpoint/"


@pytest.fixture
def operator(db: None) -> Client:
    browser = Client()
    browser.force_login(UserFactory(username="olga", is_staff=True, is_superuser=True))
    return browser


@pytest.mark.parametrize("number", [1, 3])
def test_waitpoints_listed_cost_the_same_however_many(
    operator: Client, django_assert_max_num_queries: Any, number: int
) -> None:
    """No query a row, and none of their JSON."""
    for _ in range(number):
        WaitpointFactory()

    with django_assert_max_num_queries(6) as queries:
        response = operator.get(LIST)

    assert len(response.context["cl"].result_list) == number
    assert not any('"answer"' in query["sql"] or '"schema"' in query["sql"] for query in queries)


def test_waitpoint_listed_shows_what_waits_and_the_way_to_its_run(operator: Client) -> None:
    """One row tells what an operator is called for."""
    waitpoint = WaitpointFactory(scope="loop[0]", due_at=NOON, created_at=NOON)
    WaitpointFactory(execution=None, workspace=WorkspaceFactory(), node_id=None, kind=PauseKind.TOKEN)

    page = operator.get(LIST).content.decode()

    assert '<td class="field-node">loop[0]/ask</td>' in page or ">loop[0]/ask</a>" in page
    assert '<span class="run-status run-open">open</span>' in page
    assert f'<a href="/admin/executions/execution/{waitpoint.execution_id}/change/">' in page
    assert page.count("2026-05-04 12:00:00 UTC") == 2


@pytest.mark.parametrize("term", ["own", "run", "node"])
def test_waitpoints_are_found_by_their_id_their_run_and_their_node(operator: Client, term: str) -> None:
    """Whatever an operator was told."""
    waitpoint = WaitpointFactory(node_id="approve")
    WaitpointFactory()
    terms = {"own": waitpoint.pk, "run": waitpoint.execution_id, "node": "approv"}

    response = operator.get(LIST, {"q": str(terms[term])})

    assert list(response.context["cl"].result_list) == [waitpoint]


def test_waitpoint_shows_what_was_asked_and_answered_and_who_voted(operator: Client) -> None:
    """And offers nothing to type into: answers go through their doors."""
    vote = VoteFactory(voter="Ada", waitpoint__prompt="Buy?", waitpoint__answer={"said": "yes"})

    page = operator.get(f"{LIST}{vote.waitpoint_id}/change/").content.decode()

    for text in ("&quot;Buy?&quot;", "&quot;said&quot;: &quot;yes&quot;", "Ada"):
        assert text in page
    assert 'name="_save"' not in page
    assert '<input type="text" name="answered_by"' not in page


def test_waitpoint_that_one_answer_decides_shows_no_table_of_votes(operator: Client) -> None:
    """It would be empty for ever."""
    page = operator.get(f"{LIST}{WaitpointFactory().pk}/change/").content.decode()

    assert 'id="votes-group"' not in page


def test_run_shows_what_it_waits_for(operator: Client) -> None:
    """In a table, if there is anything to show."""
    waitpoint = WaitpointFactory(prompt="Buy?", answer=7)

    with_one = operator.get(f"/admin/executions/execution/{waitpoint.execution_id}/change/").content.decode()
    without = operator.get(f"/admin/executions/execution/{ExecutionFactory().pk}/change/").content.decode()

    assert "&quot;Buy?&quot;" in with_one
    assert "waitpoints" in with_one.lower()
    assert "waitpoints (the newest" not in without.lower()
