"""What other services can do for a workflow: providers, each one file, and how one of their operations is carried out.

    shop = Provider("shop", title="Shop", base_url="https://api.shop.example/v2", auth=Bearer(), told_at=("message",))

    @shop.operation("createOrder", "POST /customers/{customer}/orders")
    class CreateOrder(Parameters):
        '''Place an order.'''

        customer: str = Field(description="Its id.")
        article: str
        amount: int = Field(1, ge=1)

A provider says how its API is spoken to: where it is, how a credential is sent, what its errors look like, how fast it
may be asked. An operation is a method, a path and its parameters, each of which goes where its name stands in the
path, else into the query (GET, DELETE) or the body, unless `Sent` says otherwise. What a table cannot say, a method of
its `Parameters` does: `make_query`, `make_body`, `make_content` and `make_result`.

Providers are the modules of `handlers.integrations.providers`, each with its `Provider` under any name, and what other
packages install under the entry point group `flowmaestro.integrations`.
"""

from handlers.integrations.answers import Answer
from handlers.integrations.auth import Auth, Basic, Bearer, Header, Query
from handlers.integrations.directory import ENTRY_POINT_GROUP, directory
from handlers.integrations.operation import FORM, JSON, Operation
from handlers.integrations.paging import CursorPaging, LastItemPaging, LinkPaging, OffsetPaging, PagePaging, Paging
from handlers.integrations.parameters import Errand, Listing, Mapped, Parameters, Sent, Several
from handlers.integrations.performing import perform
from handlers.integrations.provider import Provider
from handlers.integrations.refusals import Meaning

__all__ = [
    "ENTRY_POINT_GROUP",
    "FORM",
    "JSON",
    "Answer",
    "Auth",
    "Basic",
    "Bearer",
    "CursorPaging",
    "Errand",
    "Header",
    "LastItemPaging",
    "LinkPaging",
    "Listing",
    "Mapped",
    "Meaning",
    "OffsetPaging",
    "Operation",
    "PagePaging",
    "Paging",
    "Parameters",
    "Provider",
    "Query",
    "Sent",
    "Several",
    "directory",
    "perform",
]
