from __future__ import annotations

from typing import Any

import pytest

from handlers import ConfigError, ProviderError, RateLimited
from tests.handlers.integrations.played import TOKEN, ask, asked, reply

TABLE = {"baseId": "app1", "table": "Open tasks"}
AT = "/app1/Open%20tasks"
RECORD = {"id": "rec1", "createdTime": "2026-01-01T00:00:00.000Z", "fields": {"Name": "Ada"}}


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "query", "body"),
    [
        (
            "createRecord",
            {"fields": {"Name": "Ada"}, "typecast": True},
            f"POST {AT}",
            {},
            {"fields": {"Name": "Ada"}, "typecast": True},
        ),
        ("updateRecord", {"recordId": "rec1", "data": {"N": 1}}, f"PATCH {AT}/rec1", {}, {"fields": {"N": 1}}),
        ("getRecord", {"id": "rec1"}, f"GET {AT}/rec1", {}, None),
        ("deleteRecord", {"recordId": "rec1"}, f"DELETE {AT}/rec1", {}, None),
    ],
)
def test_airtable_operation_on_a_record(
    operation: str, parameters: dict[str, Any], route: str, query: Any, body: Any
) -> None:
    data, (request,) = ask("airtable", operation, TABLE | parameters, reply(RECORD))

    assert asked(request) == (route, query, body)
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert data == RECORD


@pytest.mark.parametrize(
    ("records", "sent"),
    [
        ([{"fields": {"a": 1}}], [{"fields": {"a": 1}}]),
        ([{"a": 1}, {"a": 2}], [{"fields": {"a": 1}}, {"fields": {"a": 2}}]),  # the fields alone
        ('{"records": [{"a": 1}]}', [{"fields": {"a": 1}}]),  # what a model wrote
    ],
)
def test_airtable_records_are_added_together(records: Any, sent: Any) -> None:
    data, (request,) = ask("airtable", "createRecords", TABLE | {"records": records}, reply({"records": [RECORD]}))

    assert asked(request) == (f"POST {AT}", {}, {"records": sent})
    assert data == [RECORD]


def test_airtable_records_are_changed_together() -> None:
    records = [{"id": "rec1", "fields": {"a": 1}}]

    _, (request,) = ask("airtable", "batchUpdateRecords", TABLE | {"records": records}, reply({"records": []}))

    assert asked(request) == (f"PATCH {AT}", {}, {"records": records})


def test_airtable_records_are_merged_by_fields() -> None:
    _, (request,) = ask(
        "airtable", "upsertRecords", TABLE | {"records": [{"Mail": "a"}], "mergeOn": "Mail"}, reply({"records": []})
    )

    assert asked(request)[2] == {
        "records": [{"fields": {"Mail": "a"}}],
        "performUpsert": {"fieldsToMergeOn": ["Mail"]},
    }


def test_airtable_records_are_deleted_together() -> None:
    answer = {"records": [{"id": "rec1", "deleted": True}]}

    data, (request,) = ask("airtable", "deleteRecords", TABLE | {"recordIds": "rec1,rec2"}, reply(answer))

    assert (request.method, request.path) == ("DELETE", f"{AT}?records%5B%5D=rec1&records%5B%5D=rec2")
    assert data == answer["records"]


@pytest.mark.parametrize(
    ("operation", "parameters", "fault"),
    [
        ("createRecords", {"records": [{"a": 1}] * 11}, "at most 10"),
        ("createRecords", {"records": []}, "at least 1"),
        ("updateRecords", {"records": [{"fields": {}}]}, "has its id"),
        ("deleteRecords", {"recordIds": ["r"] * 11}, "at most 10"),
    ],
)
def test_airtable_takes_ten_records_at_once(operation: str, parameters: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        ask("airtable", operation, TABLE | parameters, reply({}))


def test_airtable_records_are_listed_page_by_page() -> None:
    first = reply({"records": [RECORD], "offset": "itr2/rec1"})
    second = reply({"records": [RECORD | {"id": "rec2"}]})
    parameters = {
        "formula": "{Name} = 'Ada'",
        "view": "Grid",
        "fields": ["Name", "Age"],
        "sort": [{"field": "Name", "direction": "desc"}],
        "maxRecords": 150,
    }

    data, requests = ask("airtable", "listRecords", TABLE | parameters, first, second)

    query = {
        "filterByFormula": "{Name} = 'Ada'",
        "view": "Grid",
        "fields[]": "Age",  # of both, the last shown
        "sort[0][field]": "Name",
        "sort[0][direction]": "desc",
        "pageSize": "100",
    }
    assert [asked(request)[:2] for request in requests] == [
        (f"GET {AT}", query),
        (f"GET {AT}", query | {"offset": "itr2/rec1"}),
    ]
    assert "fields%5B%5D=Name&fields%5B%5D=Age" in requests[0].path
    assert [item["id"] for item in data["items"]] == ["rec1", "rec2"]


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "told"),
    [
        (
            422,
            {"error": {"type": "UNKNOWN_FIELD_NAME", "message": "Unknown field name: x"}},
            ProviderError,
            "rejected",
            "Unknown field name: x",
        ),
        (404, {"error": "NOT_FOUND"}, ProviderError, "not_found", "NOT_FOUND"),
        (401, {"error": {"type": "AUTHENTICATION_REQUIRED"}}, ConfigError, "credential_refused", "AUTHENTICATION"),
    ],
)
def test_airtable_error_is_told_in_its_words(status: int, body: Any, kind: type, code: str, told: str) -> None:
    """Which are an object, or a text."""
    with pytest.raises(kind, match=told) as failure:
        ask("airtable", "getRecord", TABLE | {"recordId": "rec1"}, reply(body, status=status))

    assert failure.value.code == code


def test_airtable_rate_limit_is_waited_for_half_a_minute() -> None:
    """It does not say so itself."""
    refusal = {"errors": [{"error": "RATE_LIMIT_REACHED", "message": "Try again"}]}

    with pytest.raises(RateLimited) as failure:
        ask("airtable", "listRecords", TABLE, reply(refusal, status=429))

    assert failure.value.retry_after == 30
