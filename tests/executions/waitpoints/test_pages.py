from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from executions.core import RunStatus
from executions.models import Vote, Waitpoint
from executions.waitpoints import links
from executions.waitpoints.errors import AnswerRefused
from executions.waitpoints.pages import _CLOSED
from handlers import PauseKind
from tests.doors import data, error
from tests.executions.rows import over
from tests.factories import ExecutionFactory, VoteFactory, WaitpointFactory

pytestmark = pytest.mark.django_db

ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["amount", "approved"],
    "properties": {
        "amount": {"type": "number", "maximum": 100},
        "approved": {"type": "boolean"},
        "size": {"type": "string", "enum": ["S", "M"]},
        "note": {"type": "string", "description": "What else?"},
        "more": {"type": "array"},
    },
}


@pytest.fixture
def visitor() -> Client:
    """Somebody with a link and nothing else; CSRF is checked as in earnest."""
    return Client(enforce_csrf_checks=True)


def address(waitpoint: Waitpoint, voter: str | None = None) -> str:
    url = links.issue(waitpoint, RequestFactory().get("/", headers={"Host": "localhost"}), voter=voter)
    return url.removeprefix("http://localhost")


def sent(visitor: Client, path: str, fields: dict[str, str]) -> HttpResponse:
    kind = "application/x-www-form-urlencoded"
    return visitor.post(path, urlencode(fields), content_type=kind, CONTENT_TYPE=kind)  # the second also when empty


def text_of(answer: HttpResponse) -> str:
    """What the page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def controls(answer: HttpResponse) -> list[tuple[str, str]]:
    """Tag, or type of an input, and name of each field of the page's form."""
    found = re.findall(r"<(input|select|textarea)\b([^>]*)>", answer.content.decode())
    told = [(tag, dict(re.findall(r'([a-z-]+)="([^"]*)"', attributes))) for tag, attributes in found]
    return [(attributes.get("type", tag), unescape(attributes["name"])) for tag, attributes in told]


def reread(waitpoint: Waitpoint) -> Waitpoint:
    return Waitpoint.objects.get(pk=waitpoint.pk)


# ---- to read


def test_page_asks_what_the_run_asks(visitor: Client) -> None:
    """With what helps to answer, and until when."""
    form = {"description": "It is about order 7.", "placeholder": "Because …", "inputType": "text"}
    due = datetime(2099, 5, 4, 12, 30, tzinfo=UTC)
    waitpoint = WaitpointFactory(prompt="Approve <it>?", schema={"type": "string"}, form=form, due_at=due)

    answer = visitor.get(address(waitpoint))

    assert answer.status_code == 200
    assert "<h1>Approve &lt;it&gt;?</h1>" in answer.content.decode()
    assert text_of(answer).endswith(
        "Approve <it>? It is about order 7. Answer by 4 May 2099, 12:30 UTC . Your answer Send answer FlowMaestro"
    )
    assert controls(answer) == [("textarea", "answer")]
    assert 'placeholder="Because …"' in answer.content.decode()


def test_page_has_a_field_for_each_property(visitor: Client) -> None:
    """Each with a label, which is read aloud with it."""
    answer = visitor.get(address(WaitpointFactory(schema=ORDER)))

    assert controls(answer) == [
        ("number", "amount"),
        ("radio", "approved"),
        ("radio", "approved"),
        ("select", "size"),
        ("textarea", "note"),
        ("textarea", "more"),
    ]
    page = answer.content.decode()
    assert set(re.findall(r'<label for="([^"]+)"', page)) <= set(re.findall(r'\bid="([^"]+)"', page))
    assert len(re.findall(r"<label for|<legend", page)) == 5
    assert set(re.findall(r'aria-describedby="([^"]+)"', page)) <= set(re.findall(r'\bid="([^"]+)"', page))


def test_question_of_several_lines_is_a_text_and_no_heading(visitor: Client) -> None:
    """A heading says what the page is."""
    answer = visitor.get(address(WaitpointFactory(prompt="Dear all,\nplease decide.")))

    assert "<h1>Your answer is needed</h1>" in answer.content.decode()
    assert "Dear all,\nplease decide." in answer.content.decode()


def test_page_runs_no_script_and_asks_no_other_host(visitor: Client) -> None:
    """Whatever a prompt or a schema holds."""
    evil = '"><script>alert(1)</script>'
    schema = {"properties": {evil: {"title": evil, "description": evil, "enum": [evil], "default": evil}}}

    answer = visitor.get(address(WaitpointFactory(prompt=evil, schema=schema, form={"description": evil})))

    page = answer.content.decode()
    assert "<script" not in page
    assert re.findall(r"""(?:src|href|action)=["'](?:https?:)?//""", page) == []
    assert answer["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    [styles] = re.findall(r'<link rel="stylesheet" href="/static/([^"]+)"', page)
    assert finders.find(styles)


def test_page_leaves_nothing_behind(visitor: Client) -> None:
    """No cookie, nothing in a cache, and the address goes to no other site."""
    answer = visitor.get(address(WaitpointFactory()))

    assert not answer.cookies
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "Cookie" not in answer.get("Vary", "")


def closed_ones() -> list[Any]:
    past = timezone.now() - timedelta(hours=1)
    closed = {"closed_at": past}
    return [
        pytest.param({"status": "completed", **closed}, "Already answered", id="answered"),
        pytest.param({"status": "expired", **closed}, "Too late", id="expired"),
        pytest.param({"due_at": past}, "Too late", id="due"),
        pytest.param({"status": "withdrawn", **closed}, "Not needed any more", id="withdrawn"),
        pytest.param(
            {"run": over(RunStatus.FAILED), "status": "withdrawn", **closed}, "Not needed any more", id="over"
        ),
    ]


@pytest.mark.parametrize(("fields", "title"), closed_ones())
def test_page_of_what_is_closed_says_so(visitor: Client, fields: dict[str, Any], title: str) -> None:
    """And offers nothing to fill in; what was answered is not told."""
    run = {"execution": ExecutionFactory(**fields["run"])} if "run" in fields else {}
    fields = {name: value for name, value in fields.items() if name != "run"}
    waitpoint = WaitpointFactory(answer="s3cret", **run)
    path = address(WaitpointFactory._meta.model(id=waitpoint.pk, kind=PauseKind.HUMAN))
    Waitpoint.objects.filter(pk=waitpoint.pk).update(**fields)

    asked, tried = visitor.get(path), sent(visitor, path, {"answer": "x"})

    for answer, status in ((asked, 410), (tried, 409)):
        assert answer.status_code == status
        assert f"<h1>{title}</h1>" in answer.content.decode()
        assert "<form" not in answer.content.decode()
        assert "s3cret" not in answer.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_link_that_is_none_of_ours_leads_to_a_404(visitor: Client, method: str) -> None:
    """In words, and without a hint at what there is."""
    good = address(WaitpointFactory())

    for path in ("/p/x", f"{good}x", good[:-1]):
        answer = visitor.get(path) if method == "get" else sent(visitor, path, {"answer": "x"})
        assert (answer.status_code, "This link leads nowhere" in text_of(answer)) == (404, True)


def test_reasons_that_have_a_page_of_their_own_are_reasons() -> None:
    """The table names what can be raised."""
    assert all(issubclass(reason, AnswerRefused) for reason in _CLOSED)


# ---- to answer


def test_form_is_read_as_what_it_asks_for(visitor: Client) -> None:
    """Everything in it is text; the answer is JSON. Nothing proves that our own page sent it: the link does."""
    waitpoint = WaitpointFactory(schema=ORDER)
    typed = {"amount": " 12.5 ", "approved": "true", "size": "M", "note": "a\r\nb", "more": "[1]", "other": "x"}

    answer = sent(visitor, address(waitpoint), typed)

    assert (answer.status_code, "Your answer has been recorded." in text_of(answer)) == (200, True)
    stored = reread(waitpoint)
    assert stored.answer == {"amount": 12.5, "approved": True, "size": "M", "note": "a\nb", "more": [1]}
    assert (stored.status, stored.answered_by) == ("completed", links.HOLDER)
    assert not answer.cookies


def test_form_that_does_not_fit_comes_back_as_it_was_typed(visitor: Client) -> None:
    """With what is wrong beside each field; and may be sent again."""
    waitpoint = WaitpointFactory(schema=ORDER)
    path = address(waitpoint)

    refused = sent(visitor, path, {"amount": "1000", "note": "please"})
    accepted = sent(visitor, path, {"amount": "100", "approved": "false", "note": "please"})

    page = refused.content.decode()
    assert refused.status_code == 422
    assert 'value="1000"' in page
    assert "please</textarea>" in page
    beside = re.findall(r'id="(h\d)">.*?<p class="sentence">([^<]+)</p>', page, re.DOTALL)
    assert beside == [("h1", "amount must be at most 100."), ("h2", "approved is missing.")]
    assert re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', page) == [
        ("f1", "amount must be at most 100."),
        ("f2", "approved is missing."),
    ]
    assert re.findall(r'id="(f\d)"[^>]* aria-invalid="true"', page) == ["f1"]  # a group of buttons says it by its text
    assert (accepted.status_code, reread(waitpoint).answer["approved"]) == (200, False)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"answer": "x"}, "The answer must be a number, not 'x'."),
        ({"answer": "  "}, "An answer is needed."),
        ({}, "An answer is needed."),
        ({"answer": "7"}, "The answer must be at least 10."),
    ],
)
def test_single_answer_that_does_not_fit_is_told_beside_its_field(
    visitor: Client, fields: dict[str, str], sentence: str
) -> None:
    """Whether it could not be read, or was read and refused."""
    waitpoint = WaitpointFactory(schema={"type": "number", "minimum": 10})

    refused = sent(visitor, address(waitpoint), fields)

    assert refused.status_code == 422
    assert f'<p class="sentence">{sentence.replace(chr(39), "&#x27;")}</p>' in refused.content.decode()
    assert reread(waitpoint).status == "open"


def test_form_that_is_too_large_is_refused_in_words(visitor: Client, settings: Settings) -> None:
    """By the limit of all bodies."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    waitpoint = WaitpointFactory()

    refused = sent(visitor, address(waitpoint), {"answer": "x" * 200})

    assert (refused.status_code, "The answer is larger than" in text_of(refused)) == (413, True)
    assert reread(waitpoint).status == "open"


def test_link_of_a_voter_takes_one_vote(visitor: Client) -> None:
    """In the name of whom it was made for."""
    waitpoint = WaitpointFactory(votes_needed=2, voters=3, prompt="Buy?")
    path = address(waitpoint, "Ada")

    asked = visitor.get(path)
    voted = sent(visitor, path, {"answer": "true"})
    again = sent(visitor, path, {"answer": "false"})

    assert controls(asked) == [("radio", "answer")] * 2
    assert "You answer as Ada." in text_of(asked)
    assert (voted.status_code, "Your vote has been recorded." in text_of(voted)) == (200, True)
    assert (again.status_code, "You have voted already" in text_of(again)) == (409, True)
    assert "You have voted already" in text_of(visitor.get(path))
    assert list(Vote.objects.values_list("voter", "value")) == [("Ada", True)]


# ---- as JSON


def test_json_is_the_answer_itself(visitor: Client) -> None:
    """Another system is given the address and sends what it has: nothing is wrapped, nothing is coerced."""
    waitpoint = WaitpointFactory(kind=PauseKind.TOKEN, schema=ORDER)

    refused = visitor.post(address(waitpoint), {"amount": "7"}, content_type="application/json")
    taken = visitor.post(address(waitpoint), {"amount": 7, "approved": True}, content_type="application/json")
    again = visitor.post(address(waitpoint), {"amount": 8, "approved": True}, content_type="application/json")

    assert error(refused, 422, "invalid_answer")["details"]["errors"] == [
        "approved is missing.",
        "amount must be a number, not text.",
    ]
    assert data(taken, 202) == {
        "waitpoint_id": str(waitpoint.pk),
        "execution_id": str(waitpoint.execution_id),
        "status": "completed",
    }
    assert error(again, 409, "waitpoint_answered")["details"]["status"] == "completed"
    assert reread(waitpoint).answer == {"amount": 7, "approved": True}


@pytest.mark.parametrize("value", [True, 0, "", None, [], {}])
def test_any_json_is_an_answer_where_any_is_wanted(visitor: Client, value: Any) -> None:
    """Also what is false, or nothing."""
    waitpoint = WaitpointFactory(kind=PauseKind.TOKEN)

    data(visitor.post(address(waitpoint), json.dumps(value).encode(), content_type="application/json"), 202)

    assert (reread(waitpoint).status, reread(waitpoint).answer) == ("completed", value)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"", "application/json", 400, "malformed_body"),
        (b"{", "application/json", 400, "malformed_body"),
        (b"NaN", "application/json", 400, "malformed_body"),
        (b"x", "text/plain", 415, "unsupported_media_type"),
        (b"x", "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
    ],
)
def test_body_that_is_neither_form_nor_json_is_refused(
    visitor: Client, body: bytes, content_type: str, status: int, code: str
) -> None:
    """And changes nothing: files are never read."""
    waitpoint = WaitpointFactory()

    error(visitor.generic("POST", address(waitpoint), body, content_type=content_type), status, code)

    assert reread(waitpoint).status == "open"


def test_other_methods_are_refused(visitor: Client) -> None:
    """In the API's shape."""
    path = address(WaitpointFactory())

    assert [visitor.generic(method, path).status_code for method in ("PUT", "PATCH", "DELETE", "OPTIONS")] == [405] * 4
    assert visitor.head(path).status_code == 200


@pytest.mark.parametrize("path", ["/p/x", "/p/"])
def test_json_to_a_link_that_is_none_of_ours_is_a_404(visitor: Client, path: str) -> None:
    """For programs in JSON where the door is ours."""
    answer = visitor.post(path, {}, content_type="application/json")

    assert answer.status_code == 404


def test_json_votes_as_a_form_does(visitor: Client) -> None:
    """One vote a link, and the link of nobody none."""
    waitpoint = VoteFactory().waitpoint

    data(visitor.post(address(waitpoint, "Ada"), b"true", content_type="application/json"), 202)
    again = visitor.post(address(waitpoint, "Ada"), b"false", content_type="application/json")
    nobody = visitor.post(address(waitpoint), b"true", content_type="application/json")

    error(again, 409, "waitpoint_answered")
    error(nobody, 404, "resource_not_found")
    assert Vote.objects.count() == 2
