"""A database."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workflows.credentials.kind import Kind, Plain, Port, Secret, credential_kind


@credential_kind("database", title="Database")
class Database(Kind):
    """A database on a server."""

    engine: Literal["postgresql", "mysql"] = Field(description="What kind of server it is.")
    host: Plain = Field(description="The name or address of the server.")
    port: Port | None = Field(None, description="5432 for postgresql and 3306 for mysql, if it is not said.")
    user: Plain = Field(description="The name of the user.")
    password: Secret | None = Field(None, description="The password.")
    database: Plain = Field(description="The name of the database.")
    ssl: Literal["disable", "prefer", "require", "verify-full"] = Field(
        "prefer", description="require: never without TLS; verify-full: and the server's certificate is checked."
    )
