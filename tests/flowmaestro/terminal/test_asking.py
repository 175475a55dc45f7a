from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console

from executions.core.statuses import PauseReason, RunStatus
from flowmaestro.terminal import ApiError, RunProgress
from flowmaestro.terminal import asking as module
from flowmaestro.terminal.asking import Absent, Asked, Prompt, Unreadable, hint, value_of
from flowmaestro.terminal.progress import NodeProgress, Visit
from handlers import JSONObject, JSONValue

RUN = "0190"
PAUSED = RunProgress(status=RunStatus.PAUSED, pause_reason=PauseReason.WAITING)


def asked(number: int = 1, **more: Any) -> Asked:
    blank: Asked = {
        "id": f"w{number}",
        "execution_id": RUN,
        "node_id": f"ask{number}",
        "scope": "",
        "path": f"ask{number}",
        "kind": "human",
        "prompt": "Ship it?",
        "schema": None,
        "form": {},
        "votes": None,
        "event": None,
        "wakes_at": None,
        "expires_at": None,
    }
    return blank | more


BOOLEAN = asked(form={"inputType": "boolean"})


class Api:
    """A server whose run waits for *waiting*; it refuses as it is told, and else takes what comes."""

    url: ClassVar[str] = "http://127.0.0.1:8000"

    def __init__(self, *waiting: Asked) -> None:
        self.waiting = list(waiting)
        self.refusals: list[ApiError] = []
        self.taken: list[tuple[str, JSONValue]] = []
        self.looks = 0

    def execution(self, execution_id: str) -> JSONObject:
        assert execution_id == RUN
        self.looks += 1
        return {"waiting_for": list(self.waiting)}

    def answer(self, execution_id: str, waitpoint_id: str, value: JSONValue) -> None:
        assert execution_id == RUN
        if self.refusals:
            raise self.refusals.pop(0)
        self.taken.append((waitpoint_id, value))
        self.waiting = [each for each in self.waiting if each["id"] != waitpoint_id or each["votes"]]


class View:
    def __init__(self) -> None:
        self.is_aside = False

    @contextmanager
    def aside(self) -> Iterator[None]:
        self.is_aside = True
        yield
        self.is_aside = False


class Terminal:
    """Somebody who types *lines*, and then ends the input."""

    def __init__(self, api: Api, *lines: str) -> None:
        self.file, self.view, self.lines = io.StringIO(), View(), list(lines)
        self.console = Console(file=self.file, width=200)
        self.absent = Absent(api, RUN, self.console, key_path=Path("/a home/api-key"))  # type: ignore[arg-type]
        self.prompt = Prompt(api, RUN, self.console, self.absent, read=self.read)  # type: ignore[arg-type]
        self.prompts: list[str] = []

    def read(self, prompt: str) -> str:
        assert self.view.is_aside
        self.prompts.append(prompt.strip())
        if not self.lines:
            raise EOFError
        return self.lines.pop(0)

    @property
    def said(self) -> str:
        return self.file.getvalue()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)


class TestPrompt:
    def test_question_is_put_and_answered(self) -> None:
        api = Api(asked(prompt="Ship it?\nIt is late.", form={"inputType": "boolean", "description": "By air."}))
        terminal = Terminal(api, "y")

        has_left = terminal.prompt(PAUSED, terminal.view)

        assert (has_left, api.taken) == (False, [("w1", True)])
        assert terminal.said == "\n‖ ask1\n  Ship it?\n  It is late.\n  By air.\n"
        assert terminal.prompts == ["y or n >"]

    def test_question_has_the_name_of_its_node_and_its_place(self) -> None:
        """Of a run within this one, only where it is is known."""
        api = Api(
            asked(1), asked(2, scope="each[0]", path="each[0]/ask2"), asked(3, execution_id="0191", path="call/ask3")
        )
        visits = {node: Visit(node_id=node, scope="", name=node.title(), kind="") for node in ("ask1", "ask2", "ask3")}
        run = replace(PAUSED, nodes={node: NodeProgress(newest=visit) for node, visit in visits.items()})
        terminal = Terminal(api, "a", "b", "c")

        terminal.prompt(run, terminal.view)

        titles = [line for line in terminal.said.splitlines() if line.startswith("‖")]
        assert titles == ["‖ Ask1", "‖ Ask2 (each[0]/ask2)", "‖ call/ask3"]

    def test_questions_are_put_one_after_the_other(self) -> None:
        """Each once, and what comes later then."""
        api = Api(asked(1), asked(2))
        terminal = Terminal(api, "a", "b", "c")

        terminal.prompt(PAUSED, terminal.view)
        api.waiting.append(asked(3))
        terminal.prompt(PAUSED, terminal.view)

        assert api.taken == [("w1", "a"), ("w2", "b"), ("w3", "c")]

    def test_answer_that_does_not_fit_is_asked_for_again(self) -> None:
        """By what the server says, and by what cannot be read."""
        api = Api(asked(form={"inputType": "number"}))
        errors = {"errors": ["The answer must be at most 10.", "The answer must be a whole number."]}
        api.refusals = [ApiError("It does not fit.", code="invalid_answer", details=errors)]
        terminal = Terminal(api, "many", "11.5", "7")

        terminal.prompt(PAUSED, terminal.view)

        assert api.taken == [("w1", 7)]
        lines = terminal.said.splitlines()
        assert lines[3:] == [
            "  It is no number.",
            "  The answer must be at most 10.",
            "  The answer must be a whole number.",
        ]

    def test_server_that_is_away_for_a_moment_costs_no_answer(self) -> None:
        api = Api(BOOLEAN)
        api.refusals = [ApiError("http://… does not answer", code="unreachable")]
        terminal = Terminal(api, "y", "y")

        terminal.prompt(PAUSED, terminal.view)

        assert api.taken == [("w1", True)]

    def test_somebody_else_was_first(self) -> None:
        """It is said, and not asked again."""
        api = Api(BOOLEAN, asked(2, form={"inputType": "text"}))
        api.refusals = [ApiError("ask1 takes no answer: it has been answered already.", code="waitpoint_answered")]
        terminal = Terminal(api, "y", "hello")

        terminal.prompt(PAUSED, terminal.view)

        assert api.taken == [("w2", "hello")]
        assert "answered already" in terminal.said

    def test_vote_is_asked_for_once(self) -> None:
        """The question stays open, for others."""
        api = Api(asked(votes={"needed": 2, "voters": 3}))
        terminal = Terminal(api, "n")

        for _ in range(2):
            terminal.prompt(PAUSED, terminal.view)

        assert api.taken == [("w1", False)]
        assert terminal.prompts == ["y or n, 2 of 3 have to say yes >"]

    def test_only_people_are_asked(self) -> None:
        """What else it waits for comes, or somebody brings it."""
        api = Api(asked(1, kind="timer"), asked(2, kind="token"), asked(3, kind="event"))
        terminal = Terminal(api)

        assert terminal.prompt(PAUSED, terminal.view) is False
        assert (terminal.prompts, terminal.said) == ([], "")

    def test_run_that_is_held_asks_nothing(self) -> None:
        """It would not go on."""
        terminal = Terminal(api := Api(BOOLEAN), "y")
        held = RunProgress(status=RunStatus.PAUSED, pause_reason=PauseReason.REQUESTED)

        assert terminal.prompt(held, terminal.view) is False
        assert (api.looks, terminal.prompts) == (0, [])

    def test_whoever_ends_the_input_is_told_how_to_answer_later(self) -> None:
        terminal = Terminal(Api(BOOLEAN, asked(2)))

        assert terminal.prompt(PAUSED, terminal.view) is True
        assert [body["waitpoint_id"] for _, body in requests(terminal.said)] == ["w1", "w2"]

    def test_server_is_not_asked_all_the_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "LOOK_SECONDS", 60.0)
        terminal = Terminal(api := Api())

        for _ in range(5):
            terminal.prompt(PAUSED, terminal.view)

        assert api.looks == 1


def requests(said: str) -> list[tuple[str, Any]]:
    """The path and the body of each request that somebody is told to send."""
    found = []
    for line in said.splitlines():
        if line.strip().startswith("curl"):
            words = shlex.split(line)
            assert words[2:-2] == ["-H", "Authorization: Bearer $KEY", "-H", "Content-Type: application/json"]
            found.append((words[1].removeprefix(f"{Api.url}/api/v1"), json.loads(words[-1])))
    return found


class TestAbsent:
    def test_it_is_said_how_to_answer(self) -> None:
        """By each kind's own door."""
        event = {"type": "order.paid", "matches": {"order.id": 7, "paid": True}}
        api = Api(BOOLEAN, asked(2, kind="token", form={}), asked(3, kind="event", event=event), asked(4, kind="timer"))
        terminal = Terminal(api)

        assert terminal.absent(PAUSED, terminal.view) is True

        assert requests(terminal.said) == [
            (f"/executions/{RUN}/resume", {"waitpoint_id": "w1", "input": True}),
            ("/waitpoints/w2/complete", {"input": "…"}),
            ("/events", {"type": "order.paid", "payload": {"order": {"id": 7}, "paid": True}}),
        ]
        assert "KEY=$(cat '/a home/api-key')" in terminal.said
        assert "‖ ask1 waits for an answer: Ship it?" in terminal.said

    @pytest.mark.parametrize("waiting", [[], [asked(kind="timer")]])
    def test_run_that_goes_on_by_itself_is_followed(self, waiting: list[Asked]) -> None:
        terminal = Terminal(Api(*waiting))

        assert terminal.absent(PAUSED, terminal.view) is False
        assert terminal.said == ""

    def test_server_that_is_away_is_asked_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What follows the run is more patient."""
        terminal = Terminal(api := Api(BOOLEAN))

        def away(execution_id: str) -> JSONObject:
            raise ApiError("does not answer", code="unreachable")

        monkeypatch.setattr(api, "execution", away)

        assert terminal.absent(PAUSED, terminal.view) is False


@pytest.mark.parametrize(
    ("question", "typed", "value"),
    [
        ({"form": {"inputType": "text"}}, " as it is ", " as it is "),
        ({"form": {"inputType": "text"}}, "", ""),  # whether that is enough, the server says
        ({"form": {"inputType": "boolean"}}, "Yes", True),
        ({"form": {"inputType": "boolean"}}, "n", False),
        ({"form": {"inputType": "number"}}, "-2.5", -2.5),
        ({"form": {"inputType": "json"}}, '{"a": [1]}', {"a": [1]}),
        ({"form": {}}, "[1]", [1]),  # anything goes: JSON where it is some
        ({"form": {}}, "hello", "hello"),
        ({"schema": {"type": "integer"}}, "7", 7),  # a schema says it where no form does
        ({"schema": {"type": "object"}}, "{}", {}),
        ({"votes": {"needed": 1, "voters": 2}}, "y", True),
        ({"form": {"inputType": "number", "defaultValue": 3}}, " ", 3),
        ({"form": {"inputType": "number", "required": False}}, "", None),
    ],
)
def test_what_is_typed_is_read_as_what_is_asked_for(question: Any, typed: str, value: JSONValue) -> None:
    assert value_of(typed, asked(**question)) == value


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        ("boolean", "perhaps", "Say y or n."),
        ("boolean", "", "Say y or n."),
        ("number", "many", "It is no number."),
        ("number", "NaN", "It is no number."),
        ("number", "true", "It is no number."),
        ("json", "{", "It is no JSON: "),
        ("json", "[" * 100_000, "It is no JSON: "),
        (None, "", "Say something."),
    ],
)
def test_what_cannot_be_read_says_why(kind: str | None, typed: str, words: str) -> None:
    with pytest.raises(Unreadable, match=re.escape(words)):
        value_of(typed, asked(form={"inputType": kind} if kind else {}))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ({"form": {"inputType": "number", "defaultValue": 7}}, "a number, Enter: 7"),
        ({"form": {"inputType": "text", "required": False}}, "text, Enter: nothing"),
        ({"form": {}}, "text or JSON"),
        ({"schema": {"type": "array"}}, "JSON"),
    ],
)
def test_hint_says_what_to_type(question: Any, text: str) -> None:
    assert hint(asked(**question)) == text
