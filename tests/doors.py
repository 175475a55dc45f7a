"""The API as a script uses it: JSON in and out, one key."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.factories import ApiKeyFactory
from workflows.models import ApiKey, Workspace
from workflows.workspaces import keys


class Api:
    """A client with a key of *workspace*. Paths are those below /api/v1."""

    def __init__(self, workspace: Workspace, **key: Any) -> None:
        self.workspace = workspace
        self.text = keys.new_key()
        self.key: ApiKey = ApiKeyFactory(workspace=workspace, text=self.text, **key)
        self.client = Client()

    def get(self, path: str, query: Any = None, **headers: str) -> HttpResponse:
        return self._send("GET", path, query=query, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self._send("POST", path, body=body, headers=headers)

    def put(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self._send("PUT", path, body=body, headers=headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self._send("PATCH", path, body=body, headers=headers)

    def delete(self, path: str, **headers: str) -> HttpResponse:
        return self._send("DELETE", path, headers=headers)

    def _send(
        self, method: str, path: str, *, body: Any = None, query: Any = None, headers: dict[str, str]
    ) -> HttpResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(
            method,
            f"/api/v1{path}",
            b"" if body is None else self._encoded(body),
            content_type="application/json",
            query_params=query,
            headers={"Authorization": f"Bearer {self.text}", **named},
        )

    def _encoded(self, body: Any) -> bytes:
        return body if isinstance(body, bytes) else self.client._encode_json(body, "application/json").encode()


def data(response: HttpResponse, status: int = 200) -> Any:
    """What an answer carries, once it is the one that was expected."""
    assert response.status_code == status, response.content.decode()
    return response.json()["data"]


def error(response: HttpResponse, status: int, code: str) -> Any:
    """The error of an answer, once it is the one that was expected."""
    body = response.json()
    assert (response.status_code, body["error"]["code"]) == (status, code), body
    return body["error"]
