from __future__ import annotations

from typing import Any

import pytest
from django.core.signing import Signer
from django.test import RequestFactory
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from executions.models import Waitpoint
from executions.waitpoints import links, services
from executions.waitpoints.errors import Answered, BadLink, NotOpen, VotedAlready, WrongKind
from executions.waitpoints.links import Link
from handlers import PauseKind
from tests.factories import VoteFactory, WaitpointFactory

REQUEST = RequestFactory().get("/", headers={"Host": "localhost"})


def signed(url: str | None) -> str:
    assert url is not None
    prefix, _, text = url.partition("/p/")
    assert prefix == "http://localhost"
    return text


def issued(waitpoint: Waitpoint, voter: str | None = None) -> str:
    return signed(links.issue(waitpoint, REQUEST, voter=voter))


@given(voter=st.none() | st.text(min_size=1, max_size=200))
def test_link_says_what_it_was_made_for(voter: str | None) -> None:
    """In characters that no mail and no chat breaks."""
    waitpoint = Waitpoint(kind=PauseKind.HUMAN, status="open")

    text = issued(waitpoint, voter)

    assert links.read(text) == Link(waitpoint_id=waitpoint.pk, voter=voter)
    assert text.replace(".", "").replace("-", "").replace("_", "").isalnum()


def test_link_made_twice_is_the_same() -> None:
    """There is nothing to keep of it."""
    waitpoint = Waitpoint(kind=PauseKind.HUMAN, status="open")

    assert issued(waitpoint, "Ada") == issued(waitpoint, "Ada")
    assert issued(waitpoint, "Ada") != issued(waitpoint, "Bob")


@given(place=st.integers(0, 200), character=st.sampled_from("Aa0_.-!"))
def test_link_that_was_changed_leads_nowhere(place: int, character: str) -> None:
    """Nobody makes a link but us."""
    text = issued(Waitpoint(kind=PauseKind.HUMAN, status="open"), "Ada")
    at = place % len(text)
    changed = text[:at] + character + text[at + 1 :]

    if changed != text:
        with pytest.raises(BadLink):
            links.read(changed)


@pytest.mark.parametrize(
    "text", ["", ".", "x", "WyJ4Il0", Signer(salt="executions.tickets", sep=".").sign_object(["x"])]
)
def test_text_that_is_no_link_leads_nowhere(text: str) -> None:
    """Nor is what we signed for something else."""
    with pytest.raises(BadLink):
        links.read(text)


def test_link_outlives_the_key_it_was_signed_with(settings: Settings) -> None:
    """A question may be open for months."""
    settings.SECRET_KEY = "old"
    text = issued(Waitpoint(kind=PauseKind.HUMAN, status="open"))

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]

    assert links.read(text).voter is None


@pytest.mark.django_db
class TestFollow:
    def test_link_leads_to_its_waitpoint(self) -> None:
        """With the name of whoever answers by it."""
        waitpoint = WaitpointFactory()

        link, found = links.follow(issued(waitpoint, "Ada"))

        assert (found.pk, link.name) == (waitpoint.pk, "Ada")
        assert links.follow(issued(waitpoint))[0].name == links.HOLDER

    def test_link_to_what_is_gone_leads_nowhere(self) -> None:
        """Its run was deleted."""
        waitpoint = WaitpointFactory()
        text = issued(waitpoint)
        Waitpoint.objects.all().delete()

        with pytest.raises(BadLink):
            links.follow(text)

    def test_link_is_of_use_once(self) -> None:
        """As its waitpoint."""
        waitpoint = WaitpointFactory()
        text = issued(waitpoint)
        services.answer(waitpoint.pk, 7, by="x", kinds=links.KINDS)

        with pytest.raises(Answered):
            links.follow(text)

    def test_link_of_a_voter_is_of_use_once_while_others_vote(self) -> None:
        """As the vote."""
        vote = VoteFactory(voter="Ada")

        with pytest.raises(VotedAlready):
            links.follow(issued(vote.waitpoint, "Ada"))
        assert links.follow(issued(vote.waitpoint, "Bob"))[0].voter == "Bob"

    def test_link_for_anybody_does_not_vote(self) -> None:
        """Whoever holds it could vote for all."""
        waitpoint = VoteFactory().waitpoint

        with pytest.raises(BadLink):
            links.follow(issued(waitpoint))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "has_one"),
    [
        ({}, True),
        ({"kind": PauseKind.TOKEN}, True),
        ({"kind": PauseKind.TIMER}, False),
        ({"kind": PauseKind.EVENT}, False),
        ({"votes_needed": 1, "voters": 2}, False),
        ({"status": "completed", "closed_at": timezone.now()}, False),
        ({"due_at": timezone.now()}, False),
    ],
)
def test_waitpoint_has_a_public_link_while_one_answer_decides(fields: dict[str, Any], has_one: bool) -> None:
    """And people or other systems give it."""
    waitpoint = WaitpointFactory(**fields)

    url = links.public_url(waitpoint, REQUEST)

    assert (url is not None) is has_one
    if has_one:
        assert links.follow(signed(url))[1].pk == waitpoint.pk


@pytest.mark.django_db
def test_link_is_made_only_to_what_can_be_answered() -> None:
    """Who asks for one is told why there is none."""
    with pytest.raises(WrongKind):
        issued(WaitpointFactory(kind=PauseKind.TIMER))
    with pytest.raises(NotOpen):
        issued(WaitpointFactory(status="withdrawn", closed_at=timezone.now()))
