"""A user and a password of a web service."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

from pydantic import Field, field_validator

from workflows.credentials.kind import Plain, Secret, credential_kind
from workflows.credentials.probes import Probed


@credential_kind("basic", title="User and password")
class Basic(Probed):
    """A user and a password, sent as `Authorization: Basic …`."""

    user: Plain = Field(description="The name of the user.")
    password: Secret = Field(description="The password.")

    @field_validator("user")
    @classmethod
    def _has_no_colon(cls, user: str) -> str:
        if ":" in user:  # Source: RFC 7617, 2
            raise ValueError("A name of a user has no colon in it.")
        return user

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Basic {self._encoded()}"}

    def spelled(self) -> Iterable[str]:
        return (self._encoded(),)

    def _encoded(self) -> str:
        return b64encode(f"{self.user}:{self.password}".encode()).decode()
