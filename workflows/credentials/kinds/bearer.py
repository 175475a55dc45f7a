"""A token that is sent as it is."""

from __future__ import annotations

from pydantic import Field

from workflows.credentials.kind import HeaderSecret, credential_kind
from workflows.credentials.probes import Probed


@credential_kind("bearer", title="Bearer token")
class Bearer(Probed):
    """A token that is sent as `Authorization: Bearer …`."""

    token: HeaderSecret = Field(description="The token, without the word Bearer.")

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.strip()}"}
