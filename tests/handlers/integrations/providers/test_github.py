from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from handlers import ConfigError, ProviderError, RateLimited
from tests.handlers.fakes import RecordingLent
from tests.handlers.integrations.played import TOKEN, ask, asked, reply
from tests.handlers.servers import Reply, http_server

REPO = {"repo": "ada/engine"}
PULL = {"number": 7, "title": "Faster", "html_url": "https://github.example/ada/engine/pull/7", "draft": True}


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "query", "body"),
    [
        (
            "createIssue",
            {"title": "It hangs", "labels": "bug, urgent", "body": ""},
            "POST /repos/ada/engine/issues",
            {},
            {"title": "It hangs", "labels": ["bug", "urgent"]},
        ),
        ("getIssue", {"issueNumber": 3}, "GET /repos/ada/engine/issues/3", {}, None),
        ("closeIssue", {"number": 3, "state": "closed"}, "PATCH /repos/ada/engine/issues/3", {}, {"state": "closed"}),
        (
            "createComment",
            {"pullNumber": "7", "comment": "Good"},
            "POST /repos/ada/engine/issues/7/comments",
            {},
            {"body": "Good"},
        ),
        ("addLabels", {"number": 7, "labels": ["a"]}, "POST /repos/ada/engine/issues/7/labels", {}, {"labels": ["a"]}),
        ("getPullRequest", {"pullNumber": 7}, "GET /repos/ada/engine/pulls/7", {}, None),
        (
            "createPullRequest",
            {"title": "Faster", "head": "fast", "base": "main", "draft": True},
            "POST /repos/ada/engine/pulls",
            {},
            {"title": "Faster", "head": "fast", "base": "main", "draft": True},
        ),
        (
            "createPullRequestReview",
            {"pullNumber": 7, "body": "Good", "event": "APPROVE"},
            "POST /repos/ada/engine/pulls/7/reviews",
            {},
            {"body": "Good", "event": "APPROVE"},
        ),
        (
            "createRelease",
            {"tag": "v1", "name": "One", "notes": "All of it"},
            "POST /repos/ada/engine/releases",
            {},
            {"tag_name": "v1", "name": "One", "body": "All of it"},
        ),
        ("getRelease", {}, "GET /repos/ada/engine/releases/latest", {}, None),
        ("getRelease", {"tag": "v1"}, "GET /repos/ada/engine/releases/tags/v1", {}, None),
        ("getRelease", {"releaseId": 5}, "GET /repos/ada/engine/releases/5", {}, None),
        (
            "updateRelease",
            {"releaseId": 5, "draft": False},
            "PATCH /repos/ada/engine/releases/5",
            {},
            {"draft": False},
        ),
        (
            "createDeployment",
            {"ref": "main", "environment": "live", "requiredContexts": []},
            "POST /repos/ada/engine/deployments",
            {},
            {"ref": "main", "environment": "live", "required_contexts": []},
        ),
        (
            "triggerWorkflow",
            {"workflow": "ci.yml", "ref": "main", "inputs": {"level": "1"}},
            "POST /repos/ada/engine/actions/workflows/ci.yml/dispatches",
            {},
            {"ref": "main", "inputs": {"level": "1"}},
        ),
    ],
)
def test_github_operation_sends_what_github_asks_for(
    operation: str, parameters: dict[str, Any], route: str, query: Any, body: Any
) -> None:
    data, (request,) = ask("github", operation, REPO | parameters, reply(PULL))

    assert asked(request) == (route, query, body)
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["accept"] == "application/vnd.github+json"
    assert request.headers["x-github-api-version"] == "2022-11-28"
    assert data == PULL


@pytest.mark.parametrize("where", [{"owner": "ada", "repo": "engine"}, {"repository": "ada/engine"}])
def test_github_repository_is_named_in_one_or_in_two(where: dict[str, str]) -> None:
    _, (request,) = ask("github", "getIssue", where | {"number": 1}, reply({}))

    assert request.path == "/repos/ada/engine/issues/1"


@pytest.mark.parametrize("repo", ["engine", "ada/", "/engine", "a/b/c"])
def test_github_repository_without_its_owner_is_refused(repo: str) -> None:
    with pytest.raises(ConfigError, match="Write owner/name"):
        ask("github", "getIssue", {"repo": repo, "number": 1}, reply({}))


def test_github_of_ones_own_has_its_address_in_the_credential() -> None:
    """GitHub Enterprise has the API below /api/v3."""
    _, (request,) = ask("github", "getIssue", REPO | {"number": 1}, reply({}), prefix="/api/v3/")

    assert request.path == "/api/v3/repos/ada/engine/issues/1"


def test_github_list_follows_the_links() -> None:
    """By the number of the page alone: the address in the link may be anywhere."""
    link = {"Link": '<https://api.github.example/repositories/1/issues?state=all&page=2&after=Y3Vy>; rel="next"'}
    first, second = reply([{"number": 3}], headers=link), reply([{"number": 2}])

    data, requests = ask("github", "listIssues", REPO | {"state": "all", "labels": ["a", "b"]}, first, second)

    asked_for = {"state": "all", "labels": "a,b", "per_page": "100"}
    assert [asked(request)[:2] for request in requests] == [
        ("GET /repos/ada/engine/issues", asked_for),
        ("GET /repos/ada/engine/issues", asked_for | {"page": "2", "after": "Y3Vy"}),
    ]
    assert data == {"items": [{"number": 3}, {"number": 2}], "count": 2, "hasMore": False, "nextCursor": None}


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "query"),
    [
        ("listPullRequests", {"base": "main"}, "/repos/ada/engine/pulls", {"state": "open", "base": "main"}),
        ("listPullRequestFiles", {"number": 7}, "/repos/ada/engine/pulls/7/files", {}),
        ("listCommits", {"branch": "fast", "since": "2026-01-01"}, "/repos/ada/engine/commits",
         {"sha": "fast", "since": "2026-01-01"}),
    ],
)  # fmt: skip
def test_github_lists_are_of_a_repository(
    operation: str, parameters: dict[str, Any], route: str, query: dict[str, str]
) -> None:
    data, (request,) = ask("github", operation, REPO | parameters, reply([{"sha": "1"}]))

    assert asked(request)[:2] == (f"GET {route}", query | {"per_page": "100"})
    assert data["items"] == [{"sha": "1"}]


def test_github_search_is_of_all_repositories() -> None:
    answer = {"total_count": 1, "incomplete_results": False, "items": [{"number": 1}]}

    data, (request,) = ask("github", "searchIssues", {"query": "is:open", "limit": 5}, reply(answer))

    assert asked(request)[:2] == ("GET /search/issues", {"q": "is:open", "per_page": "5"})
    assert data["items"] == [{"number": 1}]


def test_github_diff_is_text() -> None:
    diff = Reply(headers={"Content-Type": "application/vnd.github.diff; charset=utf-8"}, body="--- ü".encode())

    data, (request,) = ask("github", "getPullRequestDiff", REPO | {"number": 7}, diff)

    assert request.headers["accept"] == "application/vnd.github.diff"
    assert data == "--- ü"


@pytest.mark.parametrize(("content", "text"), [("grün".encode(), "grün"), (b"\x89PNG\xff", None), (b"", "")])
def test_github_file_has_its_text_if_it_is_one(content: bytes, text: str | None) -> None:
    """GitHub breaks its base64 into lines."""
    encoded = b64encode(content).decode()
    answer = {"type": "file", "encoding": "base64", "content": f"{encoded[:4]}\n{encoded[4:]}\n"}

    data, (request,) = ask("github", "getContent", REPO | {"path": "docs/a b.md", "ref": "main"}, reply(answer))

    assert asked(request)[:2] == ("GET /repos/ada/engine/contents/docs/a%20b.md", {"ref": "main"})
    assert data.get("text") == text


def test_github_logs_become_a_file_without_the_token_going_elsewhere() -> None:
    """GitHub sends on to a storage that gives out its own keys in the address."""
    lent = RecordingLent()
    with http_server(Reply(body=b"PK\x03\x04")) as storage:
        there = Reply(status=302, headers={"Location": f"{storage.url}/logs.zip?sig=1"})
        data, _ = ask("github", "getWorkflowRunLogs", REPO | {"runId": 9, "saveAs": "logs.zip"}, there, lent=lent)

    assert "authorization" not in storage.received[0].headers
    assert lent.files.stored["logs.zip"] == (b"PK\x03\x04", "application/zip")
    assert data["path"] == "logs.zip"


def test_github_error_is_told_in_its_words() -> None:
    refusal = {"message": "Validation Failed", "errors": [{"resource": "Issue", "code": "missing_field"}]}

    with pytest.raises(ProviderError, match="answered 422: Validation Failed") as failure:
        ask("github", "createIssue", REPO | {"title": "x"}, reply(refusal, status=422))

    assert (failure.value.code, failure.value.retryable) == ("rejected", False)
    assert "missing_field" in str(failure.value.details["body"])


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}, 60),  # a reset in 1970 says nothing
        (403, {"Retry-After": "30"}, 30),
        (429, {}, 60),
    ],
)
def test_github_rate_limit_may_come_as_403(status: int, headers: dict[str, str], waits: float) -> None:
    with pytest.raises(RateLimited) as failure:
        ask("github", "getIssue", REPO | {"number": 1}, reply({"message": "slow"}, status=status, headers=headers))

    assert failure.value.retry_after == waits


def test_github_permission_that_is_missing_is_no_rate_limit() -> None:
    with pytest.raises(ProviderError) as failure:
        ask("github", "getIssue", REPO | {"number": 1}, reply({"message": "Resource not accessible"}, status=403))

    assert (failure.value.code, failure.value.retryable) == ("forbidden", False)
