"""A database."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from handlers import databases, network
from workflows.credentials.kind import Borrower, Kind, Plain, Port, Secret, credential_kind
from workflows.credentials.probes import PROBE_SECONDS


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

    def try_out(self, borrower: Borrower) -> str:
        target = databases.of_credential(self.borrowed())
        with network.call(borrower, seconds=PROBE_SECONDS) as call:
            bounds = databases.Bounds(rows=1, size=1_000, seconds=call.seconds, read_only=True)
            databases.run(target, databases.Sql(text="SELECT 1"), bounds)
        return f"The database {target.database} at {target.host}:{target.port} answers."
