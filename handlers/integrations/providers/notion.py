"""Notion: pages, databases and what stands on pages. The credential is an integration's secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, Field, model_validator

from handlers.base import JSONObject, JSONValue
from handlers.errors import InputError
from handlers.integrations import Bearer, CursorPaging, Errand, Listing, Mapped, Meaning, Parameters, Provider
from handlers.integrations.parameters import Listed, Unsent
from handlers.values import Text

notion = Provider(
    "notion",
    title="Notion",
    doc=__doc__ or "",
    base_url="https://api.notion.com/v1",
    auth=Bearer(),
    headers={"Notion-Version": "2022-06-28"},
    codes_at=("code",),
    # Source: Notion API, Status codes.
    meanings={
        "unauthorized": Meaning.CREDENTIAL,
        "restricted_resource": Meaning.FORBIDDEN,
        "object_not_found": Meaning.MISSING,
        "rate_limited": Meaning.RATE,
        "conflict_error": Meaning.LATER,
        **dict.fromkeys(("internal_server_error", "service_unavailable"), Meaning.LATER),
    },
    per_minute=180,  # Source: Notion API, Request limits: three a second on average
)
RESULTS = CursorPaging(items="results", cursor="next_cursor", sent_as="start_cursor", size="page_size")
POSTED_RESULTS = CursorPaging(
    items="results", cursor="next_cursor", sent_as="start_cursor", size="page_size", in_body=True
)
# Source: Notion API, Request limits.
MAX_TEXT_LENGTH = 2_000  # characters of one rich text
MAX_BLOCKS = 100  # of one request
PROPERTIES = (
    "By name. Text, numbers, truth values and lists of texts become the plain kinds of property (rich_text, number,"
    " checkbox, multi_select), `title` the title; the other kinds are written as Notion's API has them."
)


class Content(Parameters):
    content: Annotated[Text | None, Unsent] = Field(
        None, description="Text of the page; an empty line begins a paragraph."
    )
    children: Annotated[Listed | None, Unsent] = Field(None, description="Blocks, as Notion's API has them.")

    def blocks(self) -> list[JSONValue]:
        """The blocks that both of them are. Raises InputError for more than a request takes."""
        paragraphs = [part for part in re.split(r"\n\s*\n", self.content or "") if part.strip()]
        made: list[JSONValue] = [
            {"object": "block", "type": "paragraph", "paragraph": {"rich_text": _rich_text(part)}}
            for part in paragraphs
        ]
        made += self.children or []
        if len(made) > MAX_BLOCKS:
            raise InputError(f"content has {len(made)} blocks; Notion takes {MAX_BLOCKS} at once. Append the rest.")
        return made


@notion.operation("createPage", "POST /pages", aliases=("createDatabaseItem", "addPage"))
class CreatePage(Content):
    """Make a page: a row of a database, or a page below another."""

    database_id: Annotated[str | None, Unsent] = Field(
        None, validation_alias=AliasChoices("databaseId", "database", "parentId"), description="The database's id."
    )
    parent_page_id: Annotated[str | None, Unsent] = Field(None, description="The id of the page above.")
    title: Annotated[Text | None, Unsent] = None
    properties: Annotated[Mapped, Unsent] = Field(default_factory=dict, description=PROPERTIES)
    icon: Mapped | None = None
    cover: Mapped | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> CreatePage:
        if (self.database_id is None) is (self.parent_page_id is None):
            raise ValueError("Say either databaseId or parentPageId.")
        return self

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del errand
        parent: JSONObject = {"page_id": self.parent_page_id}
        if self.database_id is not None:
            parent = {"database_id": self.database_id}
        titled = {} if self.title is None else {"title": self.title}
        made = drawn | {"parent": parent, "properties": _properties(self.properties | titled)}
        return made | ({"children": blocks} if (blocks := self.blocks()) else {})


@notion.operation("updatePage", "PATCH /pages/{page_id}")
class UpdatePage(Parameters):
    """Change properties of a page, or put it into the bin. What stands on it is changed by `appendContent`."""

    page_id: str = Field(validation_alias=AliasChoices("pageId", "id"))
    properties: Annotated[Mapped | None, Unsent] = Field(None, description=PROPERTIES)
    archived: bool | None = None
    icon: Mapped | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> UpdatePage:
        if not self.properties and self.archived is None and self.icon is None:
            raise ValueError("Say what to change: properties, archived or icon. appendContent adds text.")
        return self

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del errand
        return drawn | ({"properties": _properties(self.properties)} if self.properties else {})


@notion.operation("getPage", "GET /pages/{page_id}")
class GetPage(Parameters):
    """A page's properties. What stands on it is read by `getPageContent`."""

    page_id: str = Field(validation_alias=AliasChoices("pageId", "id"))


@notion.operation(
    "getPageContent", "GET /blocks/{block_id}/children", paging=RESULTS, aliases=("getBlocks", "listBlocks")
)
class GetPageContent(Listing):
    """The blocks of a page, or of a block that has some."""

    block_id: str = Field(validation_alias=AliasChoices("blockId", "pageId", "id"))


@notion.operation(
    "appendContent", "PATCH /blocks/{block_id}/children", picks="results", aliases=("appendBlocks", "addContent")
)
class AppendContent(Content):
    """Add to what stands on a page."""

    block_id: str = Field(validation_alias=AliasChoices("blockId", "pageId", "id"))
    after: str | None = Field(None, description="The id of the block that it comes after; the end if not said.")

    @model_validator(mode="after")
    def _has_something(self) -> AppendContent:
        if not self.content and not self.children:
            raise ValueError("Say what to add: content or children.")
        return self

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del errand
        return drawn | {"children": self.blocks()}


@notion.operation("queryDatabase", "POST /databases/{database_id}/query", paging=POSTED_RESULTS)
class QueryDatabase(Listing):
    """The pages of a database that fit a filter."""

    database_id: str = Field(validation_alias=AliasChoices("databaseId", "database", "id"))
    filter: Mapped | None = Field(None, description="As Notion's API has it.")
    sorts: Listed | None = Field(None, description='[{"property", "direction"}]')


@notion.operation("getDatabase", "GET /databases/{database_id}")
class GetDatabase(Parameters):
    """A database and the kinds of its properties."""

    database_id: str = Field(validation_alias=AliasChoices("databaseId", "database", "id"))


@notion.operation("searchPages", "POST /search", paging=POSTED_RESULTS, aliases=("search",))
class SearchPages(Listing):
    """Pages by their title, of those that the integration may see."""

    query: str | None = Field(None, description="Words of the title; all pages if not said.")
    databases: Annotated[bool, Unsent] = Field(False, description="Databases in place of pages.")

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del errand
        return drawn | {"filter": {"property": "object", "value": "database" if self.databases else "page"}}


@notion.operation("listUsers", "GET /users", paging=RESULTS)
class ListUsers(Listing):
    """The people and integrations of the workspace."""


def _properties(given: Mapping[str, Any]) -> JSONObject:
    return {name: _property(name, value) for name, value in given.items() if value is not None}


def _property(name: str, value: Any) -> JSONValue:
    match value:
        case dict():
            return dict(value)
        case bool():
            return {"checkbox": value}
        case int() | float():
            return {"number": value}
        case list():
            return {"multi_select": [{"name": str(each)} for each in value]}
    # "title" is the id of the title of every database. Source: Notion API, Property object.
    return {"title" if name == "title" else "rich_text": _rich_text(str(value))}


def _rich_text(text: str) -> list[JSONValue]:
    return [{"type": "text", "text": {"content": piece}} for piece in _pieces(text)]


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, len(text), MAX_TEXT_LENGTH):
        yield text[start : start + MAX_TEXT_LENGTH]
