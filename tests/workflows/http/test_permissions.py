from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework.views import APIView

from tests.doors import Api, error
from tests.factories import WorkspaceFactory
from workflows.http.permissions import required_scopes


def test_scope_that_is_missing_is_named(db: None) -> None:
    """The caller learns what to ask for without reading the documentation."""
    api = Api(WorkspaceFactory(), scopes=["executions:read", "workflows:read"])

    response = api.post("/workflows", {"name": "x", "definition": {}})

    refused = error(response, 403, "insufficient_scope")
    assert refused["message"] == "Missing required scopes: workflows:write"
    assert refused["details"] == {
        "required_scopes": ["workflows:write"],
        "missing_scopes": ["workflows:write"],
        "your_scopes": ["executions:read", "workflows:read"],
    }


class ByMethod(APIView):
    scopes = {"get": {"a"}}

    def get(self, request: Any) -> None: ...

    def post(self, request: Any) -> None: ...


@pytest.mark.parametrize(
    ("method", "scopes"),
    [
        ("GET", {"a"}),
        ("HEAD", {"a"}),  # what GET wants
        ("DELETE", ()),  # no such handler: it will be a 405, whoever asks
    ],
)
def test_scopes_of_a_view_without_actions_are_by_method(method: str, scopes: Any) -> None:
    """A plain view says what each of its methods wants."""
    view = ByMethod()

    wanted = required_scopes(view, method)

    assert wanted == scopes


def test_scopes_forgotten_by_a_view_are_a_bug_and_not_an_open_door() -> None:
    """A handler nobody thought about must not serve everybody with a key."""
    view = ByMethod()

    with pytest.raises(ImproperlyConfigured, match=r"ByMethod\.scopes does not say what 'post' wants"):
        required_scopes(view, "POST")


def test_scopes_of_a_viewset_are_by_action() -> None:
    """Two actions behind one method may want different things."""
    view = SimpleNamespace(action_map={"get": "list"}, action="list", list=print, scopes={"list": {"a"}})

    wanted = required_scopes(cast("APIView", view), "GET")

    assert wanted == {"a"}
