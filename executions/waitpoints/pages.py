"""The public page of one waitpoint, for whoever holds a link to it: a form that needs no script.

The link is the credential. So there is neither session nor cookie, and no CSRF token either: a browser adds nothing to
a request that whoever made it did not have. What is no form is answered by `public.PublicAnswerViewSet`, in JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import Any, Final

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from executions.models import Waitpoint
from executions.waitpoints import links, public, services
from executions.waitpoints.errors import Answered, AnswerRefused, BadLink, Expired, Unfit, VotedAlready
from executions.waitpoints.forms import form_of
from executions.waitpoints.links import Link
from handlers.answers import from_form

# Everything comes from us, a form goes back to where it came from, and no script runs.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_FORM: Final = "application/x-www-form-urlencoded"
_LONGEST_HEADING: Final = 120  # characters; a longer question is read as a text

# Title and text of the page that has nothing to fill in, by why; any other reason is that nobody waits any more.
_CLOSED: Final[Mapping[type[AnswerRefused], tuple[str, str]]] = {
    BadLink: (
        "This link leads nowhere",
        "It may have been cut off on its way. Ask whoever sent it for another.",
    ),
    Answered: ("Already answered", "Somebody has answered this already. There is nothing left to do."),
    VotedAlready: ("You have voted already", "Your vote has been counted. There is nothing left to do."),
    Expired: ("Too late", "The time to answer this is over."),
}
_OVER: Final = ("Not needed any more", "What asked this has ended, and waits for no answer.")
_answer_json = public.PublicAnswerViewSet.as_view({"post": "public"})


@wraps(_answer_json)  # with it the schema takes this for the view that it stands before; and it needs no CSRF token
def page(request: HttpRequest, signed: str) -> HttpResponseBase:
    is_form = request.method == "POST" and request.content_type == _FORM
    if not is_form and request.method not in {"GET", "HEAD"}:
        return _answer_json(request, signed=signed)
    try:
        link, waitpoint = links.follow(signed)
        return _take(request, link, waitpoint) if is_form else _ask(link, waitpoint)
    except BadLink as refused:
        return _closed(refused, status=404)
    except AnswerRefused as refused:
        return _closed(refused, status=409 if is_form else 410)


def _ask(link: Link, waitpoint: Waitpoint, *, status: int = 200, **refused: Any) -> HttpResponse:
    question = waitpoint.prompt or ""
    is_heading = 0 < len(question) <= _LONGEST_HEADING and "\n" not in question
    return _answer(
        "executions/question.html",
        {
            "waitpoint": waitpoint,
            "voter": link.voter,
            "title": question if is_heading else "Your answer is needed",
            "question": "" if is_heading else question,
            "description": waitpoint.form.get("description", ""),
            "is_vote": waitpoint.votes_needed is not None,
            "form": form_of(waitpoint, **refused),
        },
        status=status,
    )


def _take(request: HttpRequest, link: Link, waitpoint: Waitpoint) -> HttpResponse:
    """Raises AnswerRefused, but for what can be mended."""
    try:
        typed = request.POST.dict()
    except RequestDataTooBig:
        return _ask(link, waitpoint, status=413, typed={}, wrong=["The answer is larger than 10 MB."])
    try:
        value = from_form(waitpoint.schema, waitpoint.form, typed)
        services.answer(waitpoint.pk, value, by=link.name, kinds=links.KINDS)
    except ValueError as error:
        return _ask(link, waitpoint, status=422, typed=typed, wrong=[str(error)])
    except Unfit as refused:
        return _ask(link, waitpoint, status=422, typed=typed, wrong=refused.wrong)
    what = "answer" if waitpoint.votes_needed is None else "vote"
    told = {"title": "Thank you", "text": f"Your {what} has been recorded.", "is_good": True}
    return _answer("executions/closed.html", told, status=200)


def _closed(refused: AnswerRefused, *, status: int) -> HttpResponse:
    title, text = _CLOSED.get(type(refused), _OVER)
    return _answer("executions/closed.html", {"title": title, "text": text}, status=status)


def _answer(template: str, context: Mapping[str, Any], *, status: int) -> HttpResponse:
    # Without the request: nothing of a page for everybody depends on who is logged in.
    response = HttpResponse(render_to_string(template, context), status=status)
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"  # the address is the credential
    return response
