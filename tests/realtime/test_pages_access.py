"""Who may see the live page of a run, and what its script is told that they may do."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from executions import tickets
from tests.factories import MemberFactory
from tests.realtime.runs import Run, a_user
from tests.realtime.test_pages import data_of, opened
from workflows.models import User


def member_of(run: Run) -> User:
    return MemberFactory(workspace_id=run.workspace_id, workspace=None, user=a_user()).user


def test_page_is_for_members_who_are_logged_in(run: Run) -> None:
    """With a ticket of their own for the socket."""
    client, person = Client(), member_of(run)
    client.force_login(person)

    answer = opened(run, client=client)

    ticket = tickets.check(data_of(answer.content.decode())["socket"]["token"])
    assert (ticket.holder, ticket.opens(run.id, run.workspace_id)) == (f"user:{person.pk}", True)


def test_page_says_what_a_member_may_do(run: Run) -> None:
    """By the role in the run's workspace, whatever it is in others; with a CSRF token for the session."""
    client, person = Client(), a_user()
    MemberFactory(workspace_id=run.workspace_id, workspace=None, user=person, role="viewer")
    MemberFactory(user=person, role="owner")
    client.force_login(person)

    access = data_of(opened(run, client=client).content.decode())["access"]

    assert access["can"] == {"read": True, "resume": False, "cancel": False, "start": False, "ticket": False}
    assert (access["token"], access["workspace_id"], len(access["csrf"])) == (None, str(run.workspace_id), 64)


@pytest.mark.parametrize("resume", [True, False])
def test_page_says_what_a_ticket_may_do(run: Run, resume: bool) -> None:
    """It reads, and answers where it says so; it has no session that a CSRF token would be for."""
    token = tickets.issue(run.id, run.workspace_id, resume=resume)

    access = data_of(opened(run, token).content.decode())["access"]

    assert access == {
        "token": token,
        "csrf": None,
        "workspace_id": str(run.workspace_id),
        "can": {"read": True, "resume": resume, "cancel": False, "start": False, "ticket": True},
    }


def test_administrator_who_is_no_member_may_only_look(run: Run) -> None:
    """The API would not find the run for them."""
    client = Client()
    person = a_user()
    User.objects.filter(pk=person.pk).update(is_superuser=True)
    client.force_login(person)

    access = data_of(opened(run, client=client).content.decode())["access"]

    assert set(access["can"].values()) == {False}


def test_who_is_not_logged_in_is_asked_to(run: Run) -> None:
    """And comes back to the run afterwards."""
    answer = opened(run)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/login/?next=/executions/{run.id}/live")


@pytest.mark.parametrize(
    ("token", "status", "title"),
    [
        (lambda run: tickets.issue(run.id, run.workspace_id, seconds=-1), 403, "This link is over"),
        (lambda run: "nonsense", 403, "This link is over"),
        (lambda run: "", 403, "This link is over"),
        (lambda run: tickets.issue(uuid4(), run.workspace_id), 404, "Run not found"),  # for another run
        (lambda run: tickets.issue(run.id, uuid4()), 404, "Run not found"),  # of another workspace
    ],
)
def test_page_is_refused_to_a_ticket_that_does_not_open_it(
    run: Run, token: Callable[[Run], str], status: int, title: str
) -> None:
    """In words, on a page like ours."""
    answer = opened(run, token(run))

    assert answer.status_code == status
    assert f"<h1>{title}</h1>" in answer.content.decode()


def test_page_is_not_found_by_people_of_another_workspace(run: Run) -> None:
    """Somebody else's run is a 404."""
    client = Client()
    client.force_login(a_user())

    assert opened(run, client=client).status_code == 404


def test_page_is_open_to_administrators_of_the_site(run: Run) -> None:
    """The admin shows them every run and links here."""
    client, administrator = Client(), a_user()
    User.objects.filter(pk=administrator.pk).update(is_superuser=True, is_staff=True)
    client.force_login(administrator)

    assert opened(run, client=client).status_code == 200


def test_page_of_an_unknown_run_is_not_found(run: Run) -> None:
    """With a ticket for everything in the workspace."""
    answer = Client().get(f"/executions/{uuid4()}/live", {"token": tickets.issue(None, run.workspace_id)})

    assert answer.status_code == 404
