"""Airtable: the records of a base's tables. The credential is a personal access token."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field
from pydantic.alias_generators import to_camel

from handlers.base import JSONObject, JSONValue
from handlers.integrations import (
    Bearer,
    CursorPaging,
    Errand,
    Listing,
    Mapped,
    Meaning,
    Parameters,
    Provider,
    Sent,
    Several,
)
from handlers.integrations.parameters import Listed, Unsent
from handlers.values import read_container

airtable = Provider(
    "airtable",
    title="Airtable",
    doc=__doc__ or "",
    base_url="https://api.airtable.com/v0",
    auth=Bearer(),
    spelling=to_camel,
    told_at=("error.message", "error"),
    codes_at=("error.type", "error"),
    meanings={
        "AUTHENTICATION_REQUIRED": Meaning.CREDENTIAL,
        "UNAUTHORIZED": Meaning.CREDENTIAL,
        **dict.fromkeys(("NOT_FOUND", "TABLE_NOT_FOUND", "MODEL_ID_NOT_FOUND"), Meaning.MISSING),
    },
    rate_pause=30.0,  # Source: Airtable Web API, Rate limits: thirty seconds after a 429, five a second for each base
    per_minute=300,
)
MAX_BATCH = 10  # Source: Airtable Web API, Create records


def _records(value: Any) -> Any:
    """Records as Airtable has them, `{"fields": {…}}`, of such or of the fields alone."""
    value = read_container(value) if isinstance(value, str) else value
    rows = value.get("records") if isinstance(value, dict) and "records" in value else value
    if not isinstance(rows, list):
        return rows
    return [row if not isinstance(row, dict) or "fields" in row else {"fields": row} for row in rows]


def _are_named(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not all(isinstance(record.get("id"), str) for record in records):
        raise ValueError('Each record has its id: [{"id", "fields"}].')
    return records


Records: TypeAlias = Annotated[
    list[dict[str, Any]], BeforeValidator(_records), Field(min_length=1, max_length=MAX_BATCH)
]


class Table(Parameters):
    base_id: str = Field(validation_alias=AliasChoices("baseId", "base"), description="app…")
    table: str = Field(validation_alias=AliasChoices("table", "tableId", "tableName"), description="Its name or id.")


class Record(Table):
    record_id: str = Field(validation_alias=AliasChoices("recordId", "id"), description="rec…")


TYPECAST = Field(None, description="Whether text is made to fit the field, new choices included.")


@airtable.operation("createRecord", "POST /{base_id}/{table}")
class CreateRecord(Table):
    """Add a record."""

    fields: Mapped = Field(validation_alias=AliasChoices("fields", "record", "data"), description="By name.")
    typecast: bool | None = TYPECAST


@airtable.operation("createRecords", "POST /{base_id}/{table}", picks="records")
class CreateRecords(Table):
    """Add up to ten records; a loop adds more."""

    records: Records = Field(description='[{"fields": {…}}], or the fields alone: [{…}].')
    typecast: bool | None = TYPECAST


@airtable.operation("updateRecord", "PATCH /{base_id}/{table}/{record_id}")
class UpdateRecord(Record):
    """Change some fields of a record."""

    fields: Mapped = Field(validation_alias=AliasChoices("fields", "record", "data"), description="By name.")
    typecast: bool | None = TYPECAST


@airtable.operation("updateRecords", "PATCH /{base_id}/{table}", picks="records", aliases=("batchUpdateRecords",))
class UpdateRecords(Table):
    """Change some fields of up to ten records."""

    records: Annotated[Records, AfterValidator(_are_named)] = Field(description='[{"id", "fields": {…}}]')
    typecast: bool | None = TYPECAST


@airtable.operation("upsertRecords", "PATCH /{base_id}/{table}", aliases=("createOrUpdateRecords",))
class UpsertRecords(Table):
    """Change the records that some fields tell to be the same, and add the others; up to ten."""

    records: Records = Field(description='[{"fields": {…}}], or the fields alone: [{…}].')
    merge_on: Annotated[Several, Unsent] = Field(description="Names of the fields that tell it, three at most.")
    typecast: bool | None = TYPECAST

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del errand
        return drawn | {"performUpsert": {"fieldsToMergeOn": [*self.merge_on]}}


@airtable.operation("getRecord", "GET /{base_id}/{table}/{record_id}")
class GetRecord(Record):
    """One record."""


@airtable.operation(
    "listRecords",
    "GET /{base_id}/{table}",
    aliases=("getRecords", "searchRecords"),
    paging=CursorPaging(items="records", cursor="offset", sent_as="offset", size="pageSize"),
)
class ListRecords(Table, Listing):
    """The records of a table, of a view, or that a formula is true of."""

    filter_by_formula: str | None = Field(
        None, validation_alias=AliasChoices("filterByFormula", "formula", "filter"), description="{Status} = 'Open'"
    )
    view: str | None = Field(None, description="Its name or id.")
    fields: Annotated[Several | None, Sent(name="fields[]")] = Field(None, description="Names; all if not said.")
    sort: Annotated[Listed | None, Unsent] = Field(None, description='[{"field", "direction"}]')

    def make_query(self, drawn: JSONObject) -> JSONObject:
        sorted_by = [each for each in self.sort or [] if isinstance(each, dict)]
        return drawn | {
            f"sort[{index}][{name}]": value for index, each in enumerate(sorted_by) for name, value in each.items()
        }


@airtable.operation("deleteRecord", "DELETE /{base_id}/{table}/{record_id}")
class DeleteRecord(Record):
    """Delete a record."""


@airtable.operation("deleteRecords", "DELETE /{base_id}/{table}", picks="records")
class DeleteRecords(Table):
    """Delete up to ten records."""

    record_ids: Annotated[Several, Sent(name="records[]"), Field(min_length=1, max_length=MAX_BATCH)] = Field(
        validation_alias=AliasChoices("recordIds", "ids", "records")
    )
