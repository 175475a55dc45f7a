"""GitHub: issues, pull requests, commits, releases, deployments. The credential is a personal or an app's token.

Of GitHub Enterprise the credential's `base_url` is `https://HOST/api/v3`.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, field_validator, model_validator

from handlers.base import JSONObject, JSONValue
from handlers.integrations import Answer, Bearer, Errand, LinkPaging, Listing, Mapped, Parameters, Provider, Several
from handlers.integrations.files import write_file
from handlers.integrations.parameters import Listed, Unsent
from handlers.values import Text

github = Provider(
    "github",
    title="GitHub",
    doc=__doc__ or "",
    base_url="https://api.github.com",
    auth=Bearer(),
    headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    rate_pause=60.0,  # Source: GitHub REST API, Rate limits: a minute, where no header says how long
)
PAGES = LinkPaging(size="per_page", carries=("page", "after"))
FOUND = LinkPaging(items="items", size="per_page")


class Repository(Parameters):
    """What is done in a repository."""

    repo: str = Field(
        validation_alias=AliasChoices("repo", "repository"), description="owner/name, or the name with `owner` beside."
    )
    owner: Annotated[str | None, Unsent] = Field(None, description="Where `repo` is the name alone.")

    @model_validator(mode="before")
    @classmethod
    def _with_owner(cls, drawn: Any) -> Any:
        if not isinstance(drawn, dict) or not isinstance(drawn.get("owner"), str):
            return drawn
        given = {key: f"{drawn['owner']}/{name}" for key in ("repo", "repository") if _is_short(name := drawn.get(key))}
        return drawn | given

    @field_validator("repo")
    @classmethod
    def _is_whole(cls, repo: str) -> str:
        if repo.count("/") != 1 or repo.startswith("/") or repo.endswith("/"):
            raise ValueError("Write owner/name, or owner beside it.")
        return repo


def _is_short(name: object) -> bool:
    return isinstance(name, str) and "/" not in name


class Numbered(Repository):
    number: int = Field(
        validation_alias=AliasChoices("number", "issueNumber", "pullNumber", "prNumber", "pullRequestNumber"),
        description="Of the issue or pull request.",
    )


@github.operation("createIssue", "POST /repos/{repo+}/issues")
class CreateIssue(Repository):
    """Open an issue."""

    title: Text
    body: Text | None = Field(None, description="Markdown.")
    labels: Several | None = None
    assignees: Several | None = Field(None, description="Logins.")
    milestone: int | None = None


@github.operation("getIssue", "GET /repos/{repo+}/issues/{number}")
class GetIssue(Numbered):
    """One issue."""


@github.operation("updateIssue", "PATCH /repos/{repo+}/issues/{number}", aliases=("closeIssue",))
class UpdateIssue(Numbered):
    """Change an issue, or close it (`state: closed`)."""

    title: Text | None = None
    body: Text | None = None
    state: Literal["open", "closed"] | None = None
    labels: Several | None = Field(None, description="In place of those it has.")
    assignees: Several | None = None


@github.operation("listIssues", "GET /repos/{repo+}/issues", paging=PAGES)
class ListIssues(Repository, Listing):
    """The issues of a repository; GitHub counts pull requests among them."""

    state: Literal["open", "closed", "all"] = "open"
    labels: Several | None = Field(None, description="Only those that have all of these.")
    assignee: str | None = None
    since: str | None = Field(None, description="ISO 8601: only those updated after.")

    def make_query(self, drawn: JSONObject) -> JSONObject:
        return drawn if self.labels is None else drawn | {"labels": ",".join(self.labels)}


@github.operation("searchIssues", "GET /search/issues", paging=FOUND)
class SearchIssues(Listing):
    """Issues and pull requests of all repositories that the token sees."""

    q: str = Field(
        validation_alias=AliasChoices("q", "query"), description="GitHub's search syntax: repo:a/b is:open …"
    )


@github.operation(
    "createComment", "POST /repos/{repo+}/issues/{number}/comments", aliases=("addComment", "createIssueComment")
)
class CreateComment(Numbered):
    """Comment on an issue or a pull request."""

    body: Text = Field(validation_alias=AliasChoices("body", "comment", "text"), description="Markdown.")


@github.operation("addLabels", "POST /repos/{repo+}/issues/{number}/labels")
class AddLabels(Numbered):
    """Add labels to an issue or a pull request."""

    labels: Several


@github.operation("getPullRequest", "GET /repos/{repo+}/pulls/{number}", aliases=("getPR",))
class GetPullRequest(Numbered):
    """One pull request."""


@github.operation(
    "getPullRequestDiff",
    "GET /repos/{repo+}/pulls/{number}",
    aliases=("getPRDiff",),
    accepts="application/vnd.github.diff",
)
class GetPullRequestDiff(Numbered):
    """What a pull request changes, as text."""


@github.operation("listPullRequests", "GET /repos/{repo+}/pulls", paging=PAGES, aliases=("listPRs",))
class ListPullRequests(Repository, Listing):
    """The pull requests of a repository."""

    state: Literal["open", "closed", "all"] = "open"
    head: str | None = Field(None, description="owner:branch that it comes from.")
    base: str | None = Field(None, description="Branch that it goes to.")
    sort: Literal["created", "updated", "popularity", "long-running"] | None = None
    direction: Literal["asc", "desc"] | None = None


@github.operation("listPullRequestFiles", "GET /repos/{repo+}/pulls/{number}/files", paging=PAGES)
class ListPullRequestFiles(Numbered, Listing):
    """The files that a pull request changes, each with its patch."""


@github.operation("createPullRequest", "POST /repos/{repo+}/pulls", aliases=("createPR",))
class CreatePullRequest(Repository):
    """Open a pull request."""

    title: Text
    head: str = Field(description="Branch that it comes from; owner:branch from a fork.")
    base: str = Field(description="Branch that it goes to.")
    body: Text | None = Field(None, description="Markdown.")
    draft: bool | None = None


@github.operation(
    "createReview", "POST /repos/{repo+}/pulls/{number}/reviews", aliases=("createPullRequestReview", "reviewPR")
)
class CreateReview(Numbered):
    """Review a pull request."""

    body: Text | None = Field(None, description="Markdown; COMMENT and REQUEST_CHANGES need it.")
    event: Literal["APPROVE", "REQUEST_CHANGES", "COMMENT"] = "COMMENT"
    comments: Listed | None = Field(None, description='On lines: [{"path", "line", "body"}].')


@github.operation("listCommits", "GET /repos/{repo+}/commits", paging=PAGES)
class ListCommits(Repository, Listing):
    """The commits of a branch, the newest first."""

    sha: str | None = Field(None, validation_alias=AliasChoices("sha", "branch"), description="Branch or commit.")
    path: str | None = Field(None, description="Only those that touch this file.")
    author: str | None = None
    since: str | None = Field(None, description="ISO 8601.")
    until: str | None = Field(None, description="ISO 8601.")


@github.operation("getContent", "GET /repos/{repo+}/contents/{path+}", aliases=("getFile", "getFileContent"))
class GetContent(Repository):
    """A file of a repository, its content as `text` beside GitHub's own base64; of a directory a list."""

    path: str = Field(validation_alias=AliasChoices("path", "filePath"))
    ref: str | None = Field(None, validation_alias=AliasChoices("ref", "branch"), description="Branch, tag or commit.")

    def make_result(self, answer: Answer, errand: Errand) -> JSONValue:
        del errand
        data = answer.data
        if not isinstance(data, dict) or data.get("encoding") != "base64":
            return data
        try:
            return data | {"text": b64decode(str(data.get("content", ""))).decode()}
        except (NotBase64, ValueError):  # a picture, say
            return data


@github.operation("createRelease", "POST /repos/{repo+}/releases")
class CreateRelease(Repository):
    """Publish a release."""

    tag_name: str = Field(validation_alias=AliasChoices("tagName", "tag"), description="Made if there is none.")
    name: Text | None = Field(None, validation_alias=AliasChoices("name", "title"))
    body: Text | None = Field(None, validation_alias=AliasChoices("body", "notes"), description="Markdown.")
    target_commitish: str | None = Field(None, description="Branch or commit that a new tag points at.")
    draft: bool | None = None
    prerelease: bool | None = None


@github.operation("getRelease", "GET /repos/{repo+}/releases/{release+}", aliases=("getLatestRelease",))
class GetRelease(Repository):
    """A release: the latest, the one of a tag, or by its id."""

    release: str = Field(
        "latest",
        validation_alias=AliasChoices("release", "releaseId"),
        description="Its id, tags/NAME, or latest.",
        coerce_numbers_to_str=True,
    )
    tag: Annotated[str | None, Unsent] = Field(None, description="The release of this tag.")

    @model_validator(mode="before")
    @classmethod
    def _of_tag(cls, drawn: Any) -> Any:
        if not isinstance(drawn, dict) or not drawn.get("tag"):
            return drawn
        return drawn | {"release": f"tags/{drawn['tag']}"}


@github.operation("updateRelease", "PATCH /repos/{repo+}/releases/{release_id}")
class UpdateRelease(Repository):
    """Change a release."""

    release_id: int
    name: Text | None = Field(None, validation_alias=AliasChoices("name", "title"))
    body: Text | None = Field(None, validation_alias=AliasChoices("body", "notes"), description="Markdown.")
    draft: bool | None = None
    prerelease: bool | None = None


@github.operation("createDeployment", "POST /repos/{repo+}/deployments")
class CreateDeployment(Repository):
    """Ask for a deployment of a branch, tag or commit."""

    ref: str = Field(validation_alias=AliasChoices("ref", "branch"))
    environment: str | None = None
    description: Text | None = None
    auto_merge: bool | None = None
    required_contexts: Several | None = Field(None, description="Checks that must have passed; [] for none.")
    payload: Mapped | None = None


@github.operation("getWorkflowRunLogs", "GET /repos/{repo+}/actions/runs/{run_id}/logs", takes_bytes=True)
class GetWorkflowRunLogs(Repository):
    """Store the logs of a run of GitHub Actions, a zip, as a file of the workspace."""

    run_id: int
    save_as: Annotated[str, Unsent] = Field(validation_alias=AliasChoices("saveAs", "path"), description="Its path.")

    def make_result(self, answer: Answer, errand: Errand) -> JSONValue:
        return write_file(self.save_as, answer.content, errand, content_type="application/zip")


@github.operation("triggerWorkflow", "POST /repos/{repo+}/actions/workflows/{workflow}/dispatches")
class TriggerWorkflow(Repository):
    """Start a workflow of GitHub Actions; GitHub answers nothing."""

    workflow: str = Field(
        validation_alias=AliasChoices("workflow", "workflowId"),
        description="Its id or file name.",
        coerce_numbers_to_str=True,
    )
    ref: str = Field(validation_alias=AliasChoices("ref", "branch"))
    inputs: Mapped | None = None
