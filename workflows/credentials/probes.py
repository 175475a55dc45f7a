"""A request that says whether a key is accepted, for the kinds that travel in a header."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Final

import httpx2
from pydantic import Field

from handlers import ConfigError, ProviderError, network
from handlers.ports import Interruptible
from workflows.credentials.kind import Borrower, Kind, NotTestable, Url

PROBE_SECONDS: Final = 10.0
_REFUSALS: Final = frozenset({401, 403})


class Probed(Kind):
    """Base of the kinds that are tried out by a GET."""

    base_url: Url | None = Field(None, description="Where the service's API is.")
    test_url: Url | None = Field(None, description="What a test asks for with GET; the base URL, if it is not said.")

    @abstractmethod
    def headers(self) -> dict[str, str]:
        """What a request with this credential has to carry."""

    def try_out(self, borrower: Borrower) -> str:
        url = self.test_url or self.base_url
        if url is None:
            raise NotTestable("Set test_url (or base_url): without one there is nothing to ask.")
        return probe(url, self.headers(), borrower)


def probe(url: str, headers: Mapping[str, str], borrower: Interruptible) -> str:
    """What a GET answers, in a sentence without what follows the `?`. Raises ConfigError when the key is refused.

    Redirects are not followed: the key is meant for this address. Nothing of the answer is told but its status.
    """
    subject = f"GET {httpx2.URL(url).copy_with(query=None, fragment=None)}"
    with network.call(borrower, seconds=PROBE_SECONDS) as call:
        try:
            with network.client().stream("GET", url, headers=dict(headers)) as response:
                pass
        except httpx2.RequestError as error:
            raise network.failure_of(error, call=call, subject=subject) from error
    told = f"{subject} answered {response.status_code} {response.reason_phrase}".rstrip() + "."
    if response.status_code in _REFUSALS:
        raise ConfigError(told, code="credential_refused")
    if not response.is_success:
        raise ProviderError(told, status=response.status_code)
    return told
