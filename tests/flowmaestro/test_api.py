from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from rest_framework import exceptions

from executions.core import errors as run_errors
from executions.services import BadEntry
from flowmaestro import api as door
from flowmaestro.api import ANSWERS, INTERNAL, answer_to, body_of
from tests.doors import Api, error
from tests.factories import WorkspaceFactory
from workflows import errors as workflow_errors
from workflows.http import errors as request_errors

API = "/api/v1/workflows"


@pytest.fixture
def api(db: None) -> Api:
    return Api(WorkspaceFactory())


def test_codes_are_snake_case_and_statuses_are_errors() -> None:
    """Codes are API: they look alike and stay put."""
    codes = {answer.code for answer in ANSWERS.values()} | {INTERNAL.code}

    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []
    assert all(400 <= answer.status < 600 for answer in ANSWERS.values())


@pytest.mark.parametrize("module", [request_errors, workflow_errors])
def test_errors_of_the_doors_all_have_their_answer(module: Any) -> None:
    """A refusal that is not in the table would be told as our bug."""
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    leaves = [kind for kind in kinds if not any(other is not kind and issubclass(other, kind) for other in kinds)]

    unanswered = [kind for kind in leaves if kind not in ANSWERS]

    assert unanswered == []


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (request_errors.RevokedApiKey(), 401, "revoked_api_key"),  # its own row, not that of its base
        (run_errors.NotCancellable("completed"), 400, "validation_error"),
        (BadEntry("a", ["b"]), 400, "validation_error"),  # a ValueError, but not just any
        (ValueError("a bug"), 500, "internal_error"),
        (run_errors.IllegalTransition("a", "b"), 500, "internal_error"),  # ours
        (OperationalError("connection refused"), 503, "service_unavailable"),
    ],
)
def test_error_is_answered_by_the_nearest_row(raised: Exception, status: int, code: str) -> None:
    """The table is about classes and their descendants."""
    answer = answer_to(raised)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("raised", [OperationalError("password for flow@10.0.0.5 failed"), KeyError("secret")])
def test_error_that_is_ours_tells_nothing_of_the_inside(raised: Exception) -> None:
    """Hosts, names and values stay in the log."""
    body = body_of(raised)

    assert (str(raised.args[0]) in body.message, body.details) == (False, None)


@pytest.mark.parametrize(
    ("detail", "fields"),
    [
        ({"name": ["Required."]}, [("name", "Required.")]),
        ({"name": ["Too long.", "Too dull."]}, [("name", "Too long."), ("name", "Too dull.")]),
        ({"tags": {0: ["Empty."], 2: ["Empty."]}}, [("tags.0", "Empty."), ("tags.2", "Empty.")]),
        ({"rows": [{}, {"id": ["Required."]}]}, [("rows.1.id", "Required.")]),
        ({"non_field_errors": ["Not an object."]}, [("", "Not an object.")]),
        ({"a": {"non_field_errors": ["Odd."]}}, [("a", "Odd.")]),
        (["Odd."], [("", "Odd.")]),
        ("Odd.", [("", "Odd.")]),
    ],
)
def test_validation_error_is_told_field_by_field(detail: Any, fields: list[tuple[str, str]]) -> None:
    """However REST framework nests its sentences, a client reads one flat list."""
    body = body_of(exceptions.ValidationError(detail))

    assert body.details == {"fields": [{"field": field, "message": message} for field, message in fields]}
    assert body.message == "; ".join(f"{field}: {message}" if field else message for field, message in fields)


class TestEveryErrorIsTheSameBody:
    @pytest.mark.parametrize(
        ("method", "path", "options", "status", "code"),
        [
            ("GET", "/api/v1/nope", {}, 404, "resource_not_found"),
            ("FROB", "/api/v1/nope", {}, 404, "resource_not_found"),
            ("GET", "/api", {}, 404, "resource_not_found"),
            ("GET", "/api/v2/workflows", {}, 404, "resource_not_found"),
            ("GET", "/api/v1/workflows/", {}, 404, "resource_not_found"),  # no redirect: it would lose a POST's body
            ("PUT", API, {}, 405, "method_not_allowed"),
            ("OPTIONS", API, {}, 405, "method_not_allowed"),
            ("FROB", API, {}, 405, "method_not_allowed"),
            ("GET", API, {"headers": {"Accept": "text/html"}}, 406, "not_acceptable"),
            ("POST", API, {"data": b"<a/>", "content_type": "text/xml"}, 415, "unsupported_media_type"),
            (
                "POST",
                API,
                {"data": b"a=b", "content_type": "application/x-www-form-urlencoded"},
                415,
                "unsupported_media_type",
            ),
            ("POST", API, {"data": b"{", "content_type": "application/json"}, 400, "malformed_body"),
        ],
    )
    def test_request_that_cannot_be_served_is_told_in_the_envelope(
        self, api: Api, method: str, path: str, options: Any, status: int, code: str
    ) -> None:
        """Unknown addresses and methods, media types and bodies: never a page."""
        headers = {"X-API-Key": api.text, "X-Request-ID": "abc", **options.pop("headers", {})}

        response = api.client.generic(method, path, headers=headers, **options)

        body = response.json()
        assert (response.status_code, body["error"]["code"]) == (status, code)
        assert response["Content-Type"].startswith("application/json")
        assert sorted(body) == ["error", "meta"]
        assert sorted(body["meta"]) == ["request_id", "timestamp"]
        assert body["meta"]["request_id"] == response["X-Request-ID"] == "abc"

    def test_method_that_is_not_allowed_says_which_are(self, api: Api) -> None:
        """As RFC 9110, 15.5.6 asks."""
        response = api.client.put(API, headers={"X-API-Key": api.text})

        assert response["Allow"] == "GET, POST, HEAD"

    def test_browsers_accept_header_is_served_json(self, api: Api) -> None:
        """A browser names HTML first, and everything last."""
        accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

        response = api.client.get(API, headers={"X-API-Key": api.text, "Accept": accept})

        assert (response.status_code, response["Content-Type"]) == (200, "application/json")

    def test_bug_is_a_500_without_a_word_of_the_inside_and_is_logged(
        self, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The caller gets a request id, the operator the traceback."""

        def broken(*args: Any, **options: Any) -> Any:
            raise KeyError("secret")

        monkeypatch.setattr("workflows.views.WorkflowViewSet.mine", broken)
        api.client.raise_request_exception = False

        response = api.get("/workflows")

        assert error(response, 500, "internal_error")["message"] == "Something went wrong here; it has been recorded."
        assert b"secret" not in response.content
        [record] = [record for record in caplog.records if record.name == "flowmaestro.api"]
        assert record.exc_info is not None
        assert record.exc_info[0] is KeyError

    def test_database_that_is_away_is_a_503(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing was done; the same request may be sent again."""

        def away(*args: Any, **options: Any) -> Any:
            raise OperationalError("connection refused")

        monkeypatch.setattr("workflows.views.WorkflowViewSet.mine", away)

        response = api.get("/workflows")

        assert error(response, 503, "service_unavailable")["code"] == "service_unavailable"
        assert response["Retry-After"] == "5"

    def test_host_that_is_not_ours_is_a_400_in_json(self, db: None) -> None:
        """Django refuses it before any view is asked."""
        response = Client().get(API, headers={"Host": "evil.example"})

        assert error(response, 400, "bad_request")["message"] == "The request is malformed."

    @pytest.mark.parametrize(("path", "kind"), [(API, "application/json"), ("/admin/", "text/html")])
    def test_failure_outside_the_views_speaks_the_language_of_the_door(self, path: str, kind: str) -> None:
        """A script hears JSON, a person sees a page."""
        request = RequestFactory().get(path)

        response = door.server_error(request)

        assert (response.status_code, response["Content-Type"].split(";")[0]) == (500, kind)


def test_unauthorised_answer_says_how_to_come_in(db: None) -> None:
    """As RFC 9110, 15.5.2 asks of a 401."""
    response = Client().get(API)

    assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="api"')


def test_root_leads_to_the_admin(client: Client) -> None:
    """Whoever opens the address of the server lands somewhere."""
    response = client.get("/")

    assert (response.status_code, response["Location"]) == (302, "/admin/")
