"""A provider that there is not, for what holds for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from handlers.integrations import Auth, Bearer, Errand, Listing, Mapped, Paging, Parameters, Provider, Sent, perform
from handlers.integrations.parameters import Place
from handlers.ports import Credential
from tests.handlers.fakes import RecordingLent
from tests.handlers.servers import Received, Reply, http_server

KEY = "run:node:scope"


class Put(Parameters):
    """Put an article on a shelf."""

    shelf: str
    article: str
    notes: Mapped | None = None
    dry_run: Annotated[bool | None, Sent(place=Place.QUERY, name="dry")] = None
    trace: Annotated[str | None, Sent(place=Place.HEADER, name="X-Trace")] = None


class ListArticles(Listing):
    """The articles of a shelf."""

    shelf: str


class Fetch(Parameters):
    """A file, as it is."""

    path: str

    def make_result(self, answer: Any, errand: Errand) -> Any:
        return errand.lent.files.write(self.path, answer.content).to_json()


def shop(*, auth: Auth | None = None, paging: Paging | None = None, **more: Any) -> Provider:
    provider = Provider("shop", title="Shop", base_url="http://127.0.0.1:9", auth=auth or Bearer(), **more)
    provider.operation("put", "POST /shelves/{shelf}/articles", picks="article")(Put)
    provider.operation("list", "GET /shelves/{shelf}/articles", paging=paging)(ListArticles)
    provider.operation("fetch", "GET /files/{path+}", takes_bytes=True)(Fetch)
    return provider


def do(
    provider: Provider,
    operation: str,
    parameters: Mapping[str, Any],
    *replies: Reply,
    lent: RecordingLent | None = None,
    key: str = KEY,
    **values: str,
) -> tuple[Any, list[Received]]:
    """What is handed on of a service that gives the *replies*, and what that was asked. *values*: of the credential."""
    made = provider.operations[operation]
    with http_server(*replies) as server:
        credential = Credential(
            id="c", kind="api_key", name="Ours", values={"base_url": server.url} | (values or {"api_key": "the-key"})
        )
        data = perform(
            made,
            made.parameters.model_validate(parameters),
            credential=credential,
            idempotency_key=key,
            lent=lent or RecordingLent(),
        )
    return data, server.received
