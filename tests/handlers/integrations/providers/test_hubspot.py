from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from handlers import ConfigError, ProviderError, RateLimited
from tests.handlers.integrations.played import TOKEN, ask, asked, reply

CONTACT = {"id": "1", "properties": {"email": "ada@example.com"}, "archived": False}
OBJECTS = "/crm/v3/objects"


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "query", "body"),
    [
        (
            "createContact",
            {"properties": {"email": "ada@example.com"}},
            f"POST {OBJECTS}/contacts",
            {},
            {"properties": {"email": "ada@example.com"}},
        ),
        (
            "getContact",
            {"contactId": 1, "properties": "email, phone"},
            f"GET {OBJECTS}/contacts/1",
            {"properties": "email,phone"},
            None,
        ),
        (
            "getContact",
            {"email": "ada@example.com"},
            f"GET {OBJECTS}/contacts/ada%40example.com",
            {"idProperty": "email"},
            None,
        ),
        (
            "getContactByEmail",
            {"email": "ada@example.com"},
            f"GET {OBJECTS}/contacts/ada%40example.com",
            {"idProperty": "email"},
            None,
        ),
        (
            "updateContact",
            {"email": "ada@example.com", "properties": {"lead_score": 7}},
            f"PATCH {OBJECTS}/contacts/ada%40example.com",
            {"idProperty": "email"},
            {"properties": {"lead_score": 7}},
        ),
        (
            "updateContactOwner",
            {"contactId": "1", "ownerId": 5},
            f"PATCH {OBJECTS}/contacts/1",
            {},
            {"properties": {"hubspot_owner_id": "5"}},
        ),
        ("createDeal", {"properties": '{"amount": 1}'}, f"POST {OBJECTS}/deals", {}, {"properties": {"amount": 1}}),
        (
            "updateDeal",
            {"dealId": "9", "properties": {"amount": 1}},
            f"PATCH {OBJECTS}/deals/9",
            {},
            {"properties": {"amount": 1}},
        ),
        ("getCompany", {"companyId": "3"}, f"GET {OBJECTS}/companies/3", {}, None),
        ("deleteTicket", {"ticketId": "4"}, f"DELETE {OBJECTS}/tickets/4", {}, None),
        ("addToList", {"listId": 8, "contactIds": "1,2"}, "PUT /crm/v3/lists/8/memberships/add", {}, ["1", "2"]),
    ],
)
def test_hubspot_operation_sends_what_hubspot_asks_for(
    operation: str, parameters: dict[str, Any], route: str, query: Any, body: Any
) -> None:
    data, (request,) = ask("hubspot", operation, parameters, reply(CONTACT))

    assert asked(request) == (route, query, body)
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert data == CONTACT


def test_hubspot_contact_without_id_and_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="objectId: Field required"):
        ask("hubspot", "getContact", {}, reply(CONTACT))


@pytest.mark.parametrize(
    ("filters", "sent"),
    [
        (
            {"dealstage": "open", "amount": 1},
            [
                {"propertyName": "dealstage", "operator": "EQ", "value": "open"},
                {"propertyName": "amount", "operator": "EQ", "value": 1},
            ],
        ),
        ([{"propertyName": "amount", "operator": "GT", "value": 5}],) * 2,
    ],
)
def test_hubspot_search_goes_on_with_the_cursor_in_the_body(filters: Any, sent: Any) -> None:
    first = reply({"total": 2, "results": [{"id": "1"}], "paging": {"next": {"after": "1"}}})
    second = reply({"total": 2, "results": [{"id": "2"}]})

    data, requests = ask("hubspot", "searchDeals", {"filters": filters, "properties": ["amount"]}, first, second)

    body = {"properties": ["amount"], "filterGroups": [{"filters": sent}]}
    assert [asked(request) for request in requests] == [
        (f"POST {OBJECTS}/deals/search", {}, body | {"limit": 100}),
        (f"POST {OBJECTS}/deals/search", {}, body | {"limit": 99, "after": "1"}),
    ]
    assert [item["id"] for item in data["items"]] == ["1", "2"]


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "query"),
    [
        ("listContacts", {"properties": ["email", "phone"]}, f"{OBJECTS}/contacts", {"properties": "email,phone"}),
        ("getDeals", {}, f"{OBJECTS}/deals", {}),
        ("listNotes", {}, f"{OBJECTS}/notes", {}),
        ("listEmails", {}, f"{OBJECTS}/emails", {}),
        ("getAssociatedContacts", {"companyId": "3"}, "/crm/v4/objects/companies/3/associations/contacts", {}),
    ],
)
def test_hubspot_lists_page_by_page(operation: str, parameters: dict[str, Any], route: str, query: Any) -> None:
    first = reply({"results": [{"id": "1"}], "paging": {"next": {"after": "a2", "link": "https://x.example"}}})

    data, requests = ask("hubspot", operation, parameters, first, reply({"results": [{"id": "2"}]}))

    assert [asked(request)[:2] for request in requests] == [
        (f"GET {route}", query | {"limit": "100"}),
        (f"GET {route}", query | {"limit": "99", "after": "a2"}),
    ]
    assert data["count"] == 2


@pytest.mark.parametrize(("results", "found"), [([CONTACT], CONTACT), ([], None)])
def test_hubspot_contact_of_a_number_is_the_first(results: list[Any], found: Any) -> None:
    data, (request,) = ask("hubspot", "getContactByPhone", {"phone": "+49 1"}, reply({"results": results}))

    wanted = {"propertyName": "phone", "operator": "EQ", "value": "+49 1"}
    assert asked(request)[2] == {"filterGroups": [{"filters": [wanted]}], "limit": 1}
    assert data == found


@pytest.mark.parametrize(
    ("operation", "parameters", "path", "properties", "types"),
    [
        ("createNote", {"note": "Called", "contactId": 1, "dealId": "9"}, "notes", {"hs_note_body": "Called"},
         {"1": 202, "9": 214}),
        ("createTask", {"title": "Call", "companyId": "3", "priority": "HIGH", "ownerId": "5"}, "tasks",
         {"hs_task_subject": "Call", "hs_task_priority": "HIGH", "hs_task_status": "NOT_STARTED",
          "hubspot_owner_id": "5"}, {"3": 192}),
        ("createTask", {"subject": "Rest"}, "tasks", {"hs_task_subject": "Rest", "hs_task_status": "NOT_STARTED"}, {}),
    ],
)  # fmt: skip
def test_hubspot_history_is_tied_to_records(
    operation: str, parameters: dict[str, Any], path: str, properties: dict[str, str], types: dict[str, int]
) -> None:
    """With HubSpot's numbers for the kinds of ties, and as of now."""
    _, (request,) = ask("hubspot", operation, parameters, reply(CONTACT))

    route, _, body = asked(request)
    made = body["properties"].pop("hs_timestamp")
    assert (route, body["properties"]) == (f"POST {OBJECTS}/{path}", properties)
    assert datetime.fromisoformat(made).tzinfo is not None
    assert {each["to"]["id"]: each["types"][0]["associationTypeId"] for each in body.get("associations", [])} == types


@pytest.mark.parametrize(
    ("status", "category", "kind", "code"),
    [
        (400, "VALIDATION_ERROR", ProviderError, "rejected"),
        (401, "INVALID_AUTHENTICATION", ConfigError, "credential_refused"),
        (403, "MISSING_SCOPES", ProviderError, "forbidden"),
        (404, "OBJECT_NOT_FOUND", ProviderError, "not_found"),
        (429, "RATE_LIMITS", RateLimited, "rate_limited"),
    ],
)
def test_hubspot_error_is_told_in_its_words(status: int, category: str, kind: type, code: str) -> None:
    refusal = {"status": "error", "message": "So it is.", "category": category, "correlationId": "x"}

    with pytest.raises(kind, match="So it is") as failure:
        ask("hubspot", "getContact", {"contactId": "1"}, reply(refusal, status=status))

    assert (failure.value.code, failure.value.details["providerCode"]) == (code, category)
    assert failure.value.retry_after == (10 if code == "rate_limited" else None)
