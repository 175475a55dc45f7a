"""A key that a service has given out."""

from __future__ import annotations

from pydantic import Field

from workflows.credentials.kind import HeaderName, HeaderSecret, Plain, credential_kind
from workflows.credentials.probes import Probed


@credential_kind("api_key", title="API key")
class ApiKey(Probed):
    """A key that a service has given out. Nodes made for that service know how to send it; others use the header."""

    api_key: HeaderSecret = Field(description="The key.")
    header_name: HeaderName = Field("X-API-Key", description="The header it is sent in.")
    header_prefix: Plain | None = Field(None, description="What stands before it there, such as Bearer.")

    def headers(self) -> dict[str, str]:
        prefix = f"{self.header_prefix.strip()} " if self.header_prefix else ""
        return {self.header_name: f"{prefix}{self.api_key.strip()}"}
