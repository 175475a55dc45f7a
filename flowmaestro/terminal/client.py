"""The HTTP API, as the commands need it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPException
from itertools import count
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from handlers import JSONObject, JSONValue

_TIMEOUT_SECONDS: Final = 30.0
_PAGE: Final = 100  # the most that a list gives at once


class ApiError(Exception):
    """The API refused, or did not answer."""

    def __init__(self, message: str, *, code: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code  # of the error body; "unreachable" when there was none
        self.details = details or {}


class Client:
    """Speaks for an API key to the server at *url*."""

    def __init__(self, url: str, api_key: str) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        # No proxy of the environment: the server is on this machine.
        self._opener = build_opener(ProxyHandler({}))

    def store_workflow(self, definition: JSONObject) -> str:
        """The id of a published workflow with exactly this definition, found by its name, or made.

        Raises ApiError, with every fault of the definition, when it cannot be published.
        """
        name = str(definition["name"])
        page = self._call("GET", f"/workflows?{urlencode({'search': name, 'per_page': 100})}")
        for found in (summary["id"] for summary in page if summary["name"] == name and summary["version"]):
            workflow = self._call("GET", f"/workflows/{found}")
            if workflow["definition"] == definition and not workflow["unpublished_changes"]:
                return str(found)
        body = {"name": name, "description": definition.get("description", ""), "definition": definition}
        workflow = self._call("POST", "/workflows", body)
        if workflow["version"] is None:
            faults = [issue for issue in workflow["issues"] if issue["severity"] == "error"]
            lines = "".join(f"\n  {fault.get('node_id', name)}: {fault['message']}" for fault in faults)
            raise ApiError(f"{name!r} cannot run:{lines}", code="invalid_definition")
        return str(workflow["id"])

    def execute(self, workflow_id: str, inputs: JSONObject) -> JSONObject:
        """Start a run: `{"execution_id", "realtime": {"token", "websocket_url", …}, …}`. Raises ApiError."""
        started: JSONObject = self._call("POST", f"/workflows/{workflow_id}/execute", {"inputs": inputs})
        return started

    def execution(self, execution_id: str) -> JSONObject:
        found: JSONObject = self._call("GET", f"/executions/{execution_id}")
        return found

    def executions(self, **wanted: object) -> list[JSONObject]:
        """Runs, newest first: `per_page`, `page` and the filters of the API. Raises ApiError."""
        found: list[JSONObject] = self._call("GET", f"/executions?{urlencode(wanted)}")
        return found

    def top_nodes(self, execution_id: str) -> list[JSONObject]:
        """All nodes of the top level; what is in containers may be ten thousand visits. Raises ApiError."""
        nodes: list[JSONObject] = []
        for page in count(1):
            query = urlencode({"scope": "", "page": page, "per_page": _PAGE})
            found = self._call("GET", f"/executions/{execution_id}/nodes?{query}")
            nodes += found
            if len(found) < _PAGE:
                break
        return nodes

    def cancel(self, execution_id: str, *, reason: str | None = None) -> str:
        """End a run; what the API says of it. Raises ApiError."""
        body: JSONObject = {} if reason is None else {"reason": reason}
        return str(self._call("POST", f"/executions/{execution_id}/cancel", body)["message"])

    def retry(self, execution_id: str) -> JSONObject:
        """A run that takes over from one that broke off, as `execute` gives it. Raises ApiError."""
        started: JSONObject = self._call("POST", f"/executions/{execution_id}/retry", {})
        return started

    def join(self, execution_id: str) -> JSONObject:
        """What it takes to follow a run that others started, as `execute` gives it. Raises ApiError."""
        ticket = self._call("POST", f"/executions/{execution_id}/ticket", {})
        return {"execution_id": execution_id, "realtime": ticket}

    def answer(self, execution_id: str, waitpoint_id: str, value: JSONValue) -> None:
        """Answer what a run, or one within it, asks people. Raises ApiError; `invalid_answer` may be mended."""
        self._call("POST", f"/executions/{execution_id}/resume", {"waitpoint_id": waitpoint_id, "input": value})

    def ticket(self, execution_id: str) -> str:
        """A fresh realtime token for one run."""
        return str(self._call("POST", f"/executions/{execution_id}/ticket", {})["token"])

    def _call(self, method: str, path: str, body: JSONObject | None = None) -> Any:
        """The `data` of the answer. Raises ApiError."""
        content = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/api/v1{path}", content, self._headers, method=method)  # noqa: S310 -- http
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                return json.load(answer)["data"]
        except HTTPError as refusal:
            with refusal:
                wrong = json.load(refusal)["error"]
            raise ApiError(wrong["message"], code=wrong["code"], details=wrong.get("details")) from refusal
        except (OSError, HTTPException) as error:
            raise ApiError(f"{self.url} does not answer: {error}", code="unreachable") from error
