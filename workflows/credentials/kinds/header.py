"""Any header."""

from __future__ import annotations

from pydantic import Field

from workflows.credentials.kind import HeaderName, HeaderSecret, credential_kind
from workflows.credentials.probes import Probed


@credential_kind("header", title="Header")
class Header(Probed):
    """A header of any name that is sent with every request."""

    header_name: HeaderName = Field(description="Its name.")
    value: HeaderSecret = Field(description="Its value, as it is sent.")

    def headers(self) -> dict[str, str]:
        return {self.header_name: self.value.strip()}
