"""HubSpot: contacts, companies, deals, tickets, notes, tasks.

The credential is the token of a private app or of OAuth2.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, model_validator
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
from handlers.integrations.parameters import Listed, Place, Unsent
from handlers.values import Text

hubspot = Provider(
    "hubspot",
    title="HubSpot",
    doc=__doc__ or "",
    base_url="https://api.hubapi.com",
    auth=Bearer(),
    spelling=to_camel,
    codes_at=("category",),
    meanings={
        **dict.fromkeys(("INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION"), Meaning.CREDENTIAL),
        "MISSING_SCOPES": Meaning.FORBIDDEN,
        "OBJECT_NOT_FOUND": Meaning.MISSING,
        "RATE_LIMITS": Meaning.RATE,
    },
    rate_pause=10.0,  # Source: HubSpot, API usage guidelines: the allowance is one of ten seconds
)
PAGES = CursorPaging(items="results", cursor="paging.next.after", sent_as="after", size="limit")
FOUND = CursorPaging(items="results", cursor="paging.next.after", sent_as="after", size="limit", most=200, in_body=True)
KINDS = {"Contact": "contacts", "Company": "companies", "Deal": "deals", "Ticket": "tickets"}
PLURALS = {"Contact": "Contacts", "Company": "Companies", "Deal": "Deals", "Ticket": "Tickets"}
# From note or task to each kind. Source: HubSpot, Associations API, Association type ID values.
NOTE_TYPES = {"contactId": 202, "companyId": 190, "dealId": 214, "ticketId": 228}
TASK_TYPES = {"contactId": 204, "companyId": 192, "dealId": 216, "ticketId": 230}
PROPERTIES = "By HubSpot's internal names."


class OneObject(Parameters):
    """What is done to one record: by its id, or of contacts by `email`."""

    object_id: str = Field(
        validation_alias=AliasChoices("objectId", "id", "contactId", "companyId", "dealId", "ticketId"),
        description="Its id.",
        coerce_numbers_to_str=True,
    )
    email: Annotated[str | None, Unsent] = Field(None, description="Of a contact, in place of its id.")
    id_property: Annotated[str | None, Sent(place=Place.QUERY)] = Field(
        None, description="The name of a unique property that the id is one of, such as email."
    )

    @model_validator(mode="before")
    @classmethod
    def _by_email(cls, drawn: Any) -> Any:
        ids = {"objectId", "id", "contactId", "object_id"}
        if not isinstance(drawn, dict) or not drawn.get("email") or any(drawn.get(name) for name in ids):
            return drawn
        return drawn | {"objectId": drawn["email"], "idProperty": "email"}


class Get(OneObject):
    """One record."""

    properties: Several | None = Field(None, description="Names; HubSpot's usual ones if not said.")

    def make_query(self, drawn: JSONObject) -> JSONObject:
        return _joined(drawn, self.properties)


class Create(Parameters):
    """Make a record."""

    properties: Mapped = Field(description=PROPERTIES)
    associations: Listed | None = Field(None, description="As HubSpot's API has them.")


class Update(OneObject):
    """Change properties of a record."""

    properties: Mapped = Field(description=PROPERTIES)


class List(Listing):
    """All records of a kind."""

    properties: Several | None = Field(None, description="Names; HubSpot's usual ones if not said.")
    archived: bool | None = None

    def make_query(self, drawn: JSONObject) -> JSONObject:
        return _joined(drawn, self.properties)


class Search(Listing):
    """Records by words, or by what their properties are."""

    query: Text | None = Field(None, description="Words that stand anywhere in the record.")
    filters: Annotated[Mapped | Listed | None, Unsent] = Field(
        None, description='{"name": value}, all of which are so; or [{"propertyName", "operator", "value"}].'
    )
    filter_groups: Listed | None = Field(None, description="As HubSpot's API has them: one of the groups is enough.")
    sorts: Listed | None = Field(None, description='[{"propertyName", "direction"}]')
    properties: Several | None = Field(None, description="Names; HubSpot's usual ones if not said.")

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del errand
        filters: Any = self.filters
        if isinstance(filters, dict):
            filters = [{"propertyName": name, "operator": "EQ", "value": value} for name, value in filters.items()]
        groups = [*(self.filter_groups or []), *([{"filters": filters}] if filters else [])]
        return drawn | ({"filterGroups": groups} if groups else {})


class Delete(OneObject):
    """Put a record into the bin; HubSpot answers nothing."""


for kind, path in KINDS.items():
    objects = f"/crm/v3/objects/{path}"
    hubspot.operation(f"create{kind}", f"POST {objects}")(Create)
    hubspot.operation(f"get{kind}", f"GET {objects}/{{object_id}}")(Get)
    hubspot.operation(f"update{kind}", f"PATCH {objects}/{{object_id}}")(Update)
    hubspot.operation(f"delete{kind}", f"DELETE {objects}/{{object_id}}")(Delete)
    hubspot.operation(f"search{PLURALS[kind]}", f"POST {objects}/search", paging=FOUND)(Search)
    hubspot.operation(f"list{PLURALS[kind]}", f"GET {objects}", aliases=(f"get{PLURALS[kind]}",), paging=PAGES)(List)
hubspot.operation("listNotes", "GET /crm/v3/objects/notes", aliases=("getNotes",), paging=PAGES)(List)
hubspot.operation("listEmails", "GET /crm/v3/objects/emails", aliases=("getEmails",), paging=PAGES)(List)


@hubspot.operation("getContactByEmail", "GET /crm/v3/objects/contacts/{email}")
class GetContactByEmail(Parameters):
    """The contact of an address."""

    email: str
    properties: Several | None = Field(None, description="Names; HubSpot's usual ones if not said.")

    def make_query(self, drawn: JSONObject) -> JSONObject:
        return _joined(drawn, self.properties) | {"idProperty": "email"}


@hubspot.operation("getContactByPhone", "POST /crm/v3/objects/contacts/search", picks="results.0")
class GetContactByPhone(Parameters):
    """The first contact of a telephone number; null if there is none."""

    phone: Annotated[str, Unsent]
    properties: Several | None = Field(None, description="Names; HubSpot's usual ones if not said.")

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del errand
        wanted: JSONObject = {"propertyName": "phone", "operator": "EQ", "value": self.phone}
        return drawn | {"filterGroups": [{"filters": [wanted]}], "limit": 1}


@hubspot.operation("updateContactOwner", "PATCH /crm/v3/objects/contacts/{object_id}", aliases=("assignContact",))
class UpdateContactOwner(OneObject):
    """Give a contact to one of HubSpot's users."""

    owner_id: Annotated[str, Unsent] = Field(description="The owner's id.", coerce_numbers_to_str=True)

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del errand
        return drawn | {"properties": {"hubspot_owner_id": self.owner_id}}


class Engagement(Parameters):
    """What stands in the history of records, as of a time."""

    contact_id: Annotated[str | None, Unsent] = Field(None, coerce_numbers_to_str=True)
    company_id: Annotated[str | None, Unsent] = Field(None, coerce_numbers_to_str=True)
    deal_id: Annotated[str | None, Unsent] = Field(None, coerce_numbers_to_str=True)
    ticket_id: Annotated[str | None, Unsent] = Field(None, coerce_numbers_to_str=True)
    owner_id: Annotated[str | None, Unsent] = Field(None, description="Whose it is.", coerce_numbers_to_str=True)

    def made(self, properties: JSONObject, types: dict[str, int]) -> JSONObject:
        ids = self.model_dump(by_alias=True)
        owned: JSONObject = {} if self.owner_id is None else {"hubspot_owner_id": self.owner_id}
        tied: list[JSONValue] = [
            {
                "to": {"id": ids[name]},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}],
            }
            for name, number in types.items()
            if ids[name] is not None
        ]
        told: JSONObject = {name: value for name, value in properties.items() if value is not None}
        return {"properties": told | owned} | ({"associations": tied} if tied else {})


@hubspot.operation("createNote", "POST /crm/v3/objects/notes", aliases=("addNote",))
class CreateNote(Engagement):
    """Leave a note with a contact, company, deal or ticket."""

    body: Annotated[Text, Unsent] = Field(validation_alias=AliasChoices("body", "note", "text", "content"))
    timestamp: Annotated[str | None, Unsent] = Field(None, description="ISO 8601; now if not said.")

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del drawn, errand
        return self.made({"hs_note_body": self.body, "hs_timestamp": self.timestamp or _now()}, NOTE_TYPES)


@hubspot.operation("createTask", "POST /crm/v3/objects/tasks")
class CreateTask(Engagement):
    """Give somebody something to do."""

    subject: Annotated[Text, Unsent] = Field(validation_alias=AliasChoices("subject", "title", "name"))
    body: Annotated[Text | None, Unsent] = Field(None, validation_alias=AliasChoices("body", "description", "notes"))
    due: Annotated[str | None, Unsent] = Field(
        None, validation_alias=AliasChoices("due", "dueDate", "timestamp"), description="ISO 8601; now if not said."
    )
    priority: Annotated[Literal["LOW", "MEDIUM", "HIGH"] | None, Unsent] = None
    status: Annotated[str, Unsent] = "NOT_STARTED"

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del drawn, errand
        told: JSONObject = {
            "hs_task_subject": self.subject,
            "hs_task_body": self.body,
            "hs_task_priority": self.priority,
            "hs_task_status": self.status,
            "hs_timestamp": self.due or _now(),
        }
        return self.made(told, TASK_TYPES)


@hubspot.operation("addToList", "PUT /crm/v3/lists/{list_id}/memberships/add", aliases=("addContactToList",))
class AddToList(Parameters):
    """Put records into a list that is kept by hand."""

    list_id: str = Field(coerce_numbers_to_str=True)
    record_ids: Annotated[Several, Unsent] = Field(
        validation_alias=AliasChoices("recordIds", "contactIds", "contactId")
    )

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del drawn, errand
        return [*self.record_ids]


@hubspot.operation(
    "getAssociations",
    "GET /crm/v4/objects/{from_type}/{object_id}/associations/{to_type}",
    aliases=("getAssociatedContacts",),
    paging=PAGES,
)
class GetAssociations(Listing):
    """Which records of one kind go with a record of another."""

    from_type: str = Field("companies", validation_alias=AliasChoices("fromType", "objectType"))
    object_id: str = Field(
        validation_alias=AliasChoices("objectId", "id", "companyId", "dealId", "ticketId", "contactId"),
        coerce_numbers_to_str=True,
    )
    to_type: str = Field("contacts", validation_alias=AliasChoices("toType", "toObjectType"))


def _joined(drawn: JSONObject, names: list[str] | None) -> JSONObject:
    return drawn if names is None else drawn | {"properties": ",".join(names)}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
