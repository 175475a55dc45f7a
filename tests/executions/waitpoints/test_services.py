from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from executions.core import RunStatus
from executions.core.statuses import WaitpointStatus
from executions.models import Vote, Waitpoint
from executions.waitpoints import services
from executions.waitpoints.errors import (
    Answered,
    AnswerRefused,
    Expired,
    RunEnded,
    Unfit,
    VotedAlready,
    WaitpointNeeded,
    Withdrawn,
    WrongKind,
)
from handlers import PauseKind
from tests.executions.rows import over
from tests.factories import ExecutionFactory, VoteFactory, WaitpointFactory, WorkspaceFactory

HUMAN = [PauseKind.HUMAN]
NUMBER = {"type": "number", "maximum": 100}


def reread(waitpoint: Waitpoint) -> Waitpoint:
    return Waitpoint.objects.get(pk=waitpoint.pk)


def answer(waitpoint: Waitpoint, value: Any = None, *, by: str = "Ada") -> Waitpoint:
    return services.answer(waitpoint.pk, value, by=by, kinds=HUMAN)


def closed(status: WaitpointStatus, **fields: Any) -> Waitpoint:
    return WaitpointFactory(status=status, closed_at=timezone.now(), **fields)


@pytest.mark.django_db
class TestAnswer:
    def test_answer_is_stored_with_who_gave_it(self) -> None:
        """Before it is confirmed."""
        waitpoint = WaitpointFactory()

        answer(waitpoint, {"amount": 7})

        stored = reread(waitpoint)
        assert (stored.status, stored.answer, stored.answered_by) == ("completed", {"amount": 7}, "Ada")
        assert stored.closed_at is not None
        assert not stored.folded

    @pytest.mark.parametrize("value", ["7", True, None, [7], 1000])
    def test_answer_that_does_not_fit_is_refused_and_the_question_stays_open(self, value: Any) -> None:
        """Strictly, as JSON: nothing is coerced."""
        waitpoint = WaitpointFactory(schema=NUMBER)

        with pytest.raises(Unfit) as refused:
            answer(waitpoint, value)

        assert refused.value.wrong[0].startswith("The answer must be")
        assert (reread(waitpoint).status, reread(waitpoint).answer) == ("open", None)
        assert answer(waitpoint, 7).status == "completed"

    def test_answer_that_is_null_is_an_answer(self) -> None:
        """Where the schema lets it be one."""
        waitpoint = WaitpointFactory(schema={"type": ["number", "null"]})

        answer(waitpoint, None)

        assert (reread(waitpoint).status, reread(waitpoint).answer) == ("completed", None)

    @pytest.mark.parametrize(
        ("status", "why"),
        [
            (WaitpointStatus.COMPLETED, Answered),
            (WaitpointStatus.EXPIRED, Expired),
            (WaitpointStatus.WITHDRAWN, Withdrawn),
        ],
    )
    def test_closed_waitpoint_says_why(self, status: WaitpointStatus, why: type[AnswerRefused]) -> None:
        """Also to an answer that would not fit: what is closed cannot be mended."""
        waitpoint = closed(status, schema=NUMBER)

        with pytest.raises(why):
            answer(waitpoint, "no number")

    def test_waitpoint_whose_time_has_come_takes_no_answer_though_nobody_has_written_it_down(self) -> None:
        """The moment counts, not the sweep."""
        waitpoint = WaitpointFactory(due_at=timezone.now() - timedelta(milliseconds=1))

        with pytest.raises(Expired) as refused:
            answer(waitpoint)

        assert refused.value.waitpoint.status == "expired"

    @pytest.mark.parametrize("status", [WaitpointStatus.COMPLETED, WaitpointStatus.WITHDRAWN])
    def test_waitpoint_of_a_run_that_is_over_says_so(self, status: WaitpointStatus) -> None:
        """Whether it was answered or not."""
        waitpoint = closed(status, execution=ExecutionFactory(**over(RunStatus.COMPLETED)))

        with pytest.raises(RunEnded, match="this run has ended"):
            answer(waitpoint)

    @pytest.mark.parametrize("kind", [PauseKind.TIMER, PauseKind.TOKEN, PauseKind.EVENT])
    def test_kinds_have_doors_of_their_own(self, kind: PauseKind) -> None:
        """Nobody wakes a timer by hand."""
        waitpoint = WaitpointFactory(kind=kind)

        with pytest.raises(WrongKind):
            answer(waitpoint)

        assert reread(waitpoint).status == "open"


@pytest.mark.django_db
class TestVote:
    def test_waitpoint_stays_open_until_enough_have_voted(self) -> None:
        """Two of three."""
        waitpoint = WaitpointFactory(votes_needed=2, voters=3)

        first = answer(waitpoint, True, by="Ada")
        second = answer(waitpoint, True, by="Bob")

        assert (first.status, second.status) == ("open", "completed")
        stored = reread(waitpoint)
        assert (stored.status, stored.answer, stored.answered_by) == ("completed", True, "Bob")
        assert sorted(Vote.objects.values_list("voter", "value")) == [("Ada", True), ("Bob", True)]

    def test_waitpoint_is_decided_against_once_enough_can_no_longer_say_yes(self) -> None:
        """Who has not voted yet need not."""
        waitpoint = WaitpointFactory(votes_needed=2, voters=3)

        answer(waitpoint, False, by="Ada")
        answer(waitpoint, False, by="Bob")

        assert (reread(waitpoint).status, reread(waitpoint).answer) == ("completed", False)

    def test_voter_has_one_vote(self) -> None:
        """The first counts, whatever the second says."""
        waitpoint = WaitpointFactory(votes_needed=2, voters=3)
        answer(waitpoint, False, by="Ada")

        with pytest.raises(VotedAlready, match="Ada has voted already"):
            answer(waitpoint, True, by="Ada")

        assert list(Vote.objects.values_list("voter", "value")) == [("Ada", False)]

    def test_vote_after_the_decision_is_refused(self) -> None:
        """As any answer to what is closed."""
        waitpoint = WaitpointFactory(votes_needed=1, voters=3)
        answer(waitpoint, True, by="Ada")

        with pytest.raises(Answered):
            answer(waitpoint, False, by="Bob")

        assert Vote.objects.count() == 1

    @pytest.mark.parametrize("value", ["true", 1, None, {}])
    def test_vote_is_true_or_false(self, value: Any) -> None:
        """And nothing that is like it."""
        waitpoint = VoteFactory().waitpoint

        with pytest.raises(Unfit, match="A vote is true or false"):
            answer(waitpoint, value)

        assert Vote.objects.count() == 1

    def test_vote_that_comes_late_is_refused(self) -> None:
        """What holds for answers holds for each vote."""
        waitpoint = WaitpointFactory(votes_needed=1, voters=1, due_at=timezone.now() - timedelta(seconds=1))

        with pytest.raises(Expired):
            answer(waitpoint, True)

        assert not Vote.objects.exists()


@pytest.mark.django_db
class TestToken:
    def test_token_waits_for_whoever_holds_it(self) -> None:
        """Though no run has come for it yet."""
        token = services.create_token(WorkspaceFactory().pk, prompt="Payment", schema=NUMBER)

        with pytest.raises(WrongKind):
            answer(token, 7)
        services.answer(token.pk, 7, by="shop", kinds=[PauseKind.TOKEN])

        assert (reread(token).status, reread(token).answer, reread(token).execution_id) == ("completed", 7, None)

    def test_token_that_lasts_takes_no_answer_after_its_time(self) -> None:
        """By the clock of whoever made it."""
        token = services.create_token(WorkspaceFactory().pk, lasts=timedelta(hours=1))

        assert reread(token).due_at == reread(token).created_at + timedelta(hours=1)
        Waitpoint.objects.update(due_at=timezone.now())
        with pytest.raises(Expired):
            services.answer(token.pk, 7, by="shop", kinds=[PauseKind.TOKEN])


@pytest.mark.django_db
class TestAnswerIn:
    def test_answer_without_a_name_is_to_the_only_question(self) -> None:
        """What is no question to people does not count."""
        waitpoint = WaitpointFactory()
        WaitpointFactory(execution=waitpoint.execution, node_id="later", kind=PauseKind.TIMER)

        services.answer_in(waitpoint.execution, 7, by="Ada")

        assert reread(waitpoint).answer == 7

    def test_answer_without_a_name_to_several_questions_is_refused_with_their_paths(self) -> None:
        """Nobody guesses."""
        run = WaitpointFactory(scope="loop[0]").execution
        WaitpointFactory(execution=run, node_id="also")

        with pytest.raises(WaitpointNeeded) as refused:
            services.answer_in(run, 7, by="Ada")

        assert [named.path for named in refused.value.candidates] == ["also", "loop[0]/ask"]
        assert str(refused.value) == "Name what you answer, by its path: also, loop[0]/ask."

    def test_answer_to_a_run_that_asks_nothing_is_refused(self) -> None:
        """It is not kept for a question that may come."""
        run = ExecutionFactory(status=RunStatus.RUNNING)

        with pytest.raises(WaitpointNeeded, match="Nothing of this run waits for an answer"):
            services.answer_in(run, 7, by="Ada")

    def test_answer_within_a_run_that_is_over_is_refused(self) -> None:
        """Though what it started has not been told yet."""
        parent = ExecutionFactory(**over(RunStatus.CANCELLED))
        child = ExecutionFactory(parent=parent, parent_node="call", parent_scope="", status=RunStatus.PAUSED)
        waitpoint = WaitpointFactory(execution=child, workspace=parent.workspace)

        with pytest.raises(RunEnded):
            services.answer_in(parent, 7, by="Ada", node_id="call/ask")

        assert reread(waitpoint).status == "open"
