"""A statement for somebody's database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, Field, field_validator

from handlers import databases, network
from handlers.base import (
    Effect,
    FieldKind,
    JSONObject,
    JSONValue,
    Lane,
    NodeConfig,
    NodeData,
    NodeHandler,
    NodeInput,
    NodeOutput,
)
from handlers.errors import ConfigError, InputError
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import read_container

MAX_ROWS: Final = 10_000
_TEMPLATED: Final = (
    "A reference in SQL would become part of it, whatever it holds. Write $1 (MySQL: ?) in its place, and the reference"
    " into parameters."
)
_NO_MONGODB: Final = "MongoDB is not supported; there are postgresql and mysql."


def _parsed(value: Any) -> Any:
    return read_container(value) if isinstance(value, str) else value


class DatabaseConfig(NodeConfig):
    connection_id: str | None = Field(None, description="Id of a credential of kind database.")
    connection_url: str | None = Field(
        None, description="Instead of it: postgresql://user:password@host/name, such as {{env.DATABASE_URL}}."
    )
    provider: str | None = Field(
        None,
        validation_alias=AliasChoices("provider", "databaseType"),
        description="postgresql or mysql; what the connection is, if it is not said.",
    )
    operation: Literal["query", "insert", "update", "delete", "listTables"] = "query"
    query: Annotated[str | None, FieldKind.RAW] = Field(
        None, description="SQL, with $1, $2, … (MySQL: ?) where values belong."
    )
    parameters: list[Any] = Field([], description="The values, in their order.")
    table: str | None = Field(None, description="Without a query: the table, or schema.table.")
    data: Any = Field(
        None,
        validation_alias=AliasChoices("data", "values"),
        description="Column → value; to insert also a list of these.",
    )
    where: dict[str, Any] = Field({}, description="Column → value, null or a list of values; all have to be so.")
    returning: list[str] = Field([], description="Columns to give back of what was changed; * is all. Not MySQL.")
    db_schema: str | None = Field(
        None, validation_alias=AliasChoices("schema", "dbSchema"), description="Whose tables to list."
    )
    max_rows: int = Field(1000, ge=1, le=MAX_ROWS, description="Further rows are left out.")
    read_only: bool = Field(False, description="Have the database refuse whatever changes something.")
    timeout: float = Field(30, gt=0, le=300, description="Seconds for the whole of it.")

    @field_validator("parameters", "data", "where", "returning", mode="before")
    @classmethod
    def _as_json(cls, value: Any) -> Any:
        return _parsed(value)

    @field_validator("parameters", "returning", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [] if value in (None, "") else value

    @field_validator("where", mode="before")
    @classmethod
    def _as_object(cls, value: Any) -> Any:
        return {} if value in (None, "") else value

    @field_validator("provider")
    @classmethod
    def _is_known(cls, provider: str | None) -> str | None:
        if provider is not None and provider.lower() not in databases.ENGINES:
            is_mongodb = provider.lower().startswith("mongo")
            raise ValueError(_NO_MONGODB if is_mongodb else "There are postgresql and mysql.")
        return provider

    @field_validator("query")
    @classmethod
    def _is_whole(cls, query: str | None) -> str | None:
        if query is not None and "{{" in query:
            raise ValueError(_TEMPLATED)
        return query


class DatabaseMetadata(NodeData):
    columns: list[str]
    truncated: bool = Field(description="There were more rows than maxRows.")
    last_insert_id: int | None = Field(None, description="Of a MySQL insert: the id of its first row.")


class DatabaseData(NodeData):
    operation: str
    provider: str
    success: Literal[True]
    data: list[dict[str, Any]] = Field(description="Rows, by columns.")
    row_count: int = Field(description="Rows that were changed, or are given back.")
    metadata: DatabaseMetadata


@node_type("database", category="integrations", title="Database", effect=Effect.EFFECT, lane=Lane.IO)
class Database(NodeHandler[DatabaseConfig]):
    """Ask a PostgreSQL or MySQL (MariaDB) database, or change a table of it.

    Output: `{"operation", "provider", "success": true, "data", "rowCount", "metadata": {"columns", "truncated"}}`:
    `data` is a list of rows, each an object by columns, at most `maxRows` of them (`truncated` says whether there were
    more); `rowCount` is how many rows were changed, or are given back. Moments are text in ISO 8601, bytes are Base64,
    numbers that JSON's readers would round are text. Of a MySQL insert, `metadata.lastInsertId` is the id of its first
    row.

    `query` is SQL in which values stand as `$1`, `$2`, … (MySQL: `?`) and come from `parameters`: the database is told
    them beside the statement, so that nothing in them is ever SQL. `{{…}}` in the SQL itself is therefore refused. A
    list is an array in PostgreSQL (`= ANY($1)`), an object is JSON. Without a query, `insert`, `update` and `delete`
    work on `table` with `data` and `where`: lists and objects are stored as JSON, and there has to be a condition.
    `listTables` gives `{"schema", "name", "type"}`.

    Each node is a transaction of its own. `readOnly` has the database refuse all changes. A statement that it refuses
    fails the node with `query_failed`, a wrong password with `credentials_refused`; deadlocks and lost connections are
    tried again, so a change that must not happen twice wants a key that is unique. The server has to be on the public
    internet unless the site's operator allows another (`egress_refused`).
    """

    Config = DatabaseConfig
    Output = DatabaseData

    def run(self, node: NodeInput[DatabaseConfig], lent: Lent) -> NodeOutput:
        config = node.config
        statement = _statement(config)
        target = _target(config, lent)
        with network.call(lent, seconds=config.timeout) as call:
            bounds = databases.Bounds(
                rows=config.max_rows,
                size=network.max_answer_bytes(),
                seconds=call.seconds,
                read_only=config.read_only,
            )
            result = databases.run(target, statement, bounds)
        if result.is_cut:
            lent.log("warning", f"There are more than {config.max_rows} rows (maxRows); the others are left out.")
        metadata: JSONObject = {"columns": [*result.columns], "truncated": result.is_cut}
        if result.last_id is not None:
            metadata["lastInsertId"] = result.last_id
        rows: list[JSONValue] = [*result.rows]
        return NodeOutput(
            data={
                "operation": config.operation,
                "provider": target.engine.value,
                "success": True,
                "data": rows,
                "rowCount": result.count,
                "metadata": metadata,
            }
        )

    @classmethod
    def implied(cls, drawn_as: str, config: Mapping[str, Any]) -> JSONObject:
        """`select` of the existing templates, and the place where the existing handler looks for everything."""
        del drawn_as
        implied: JSONObject = {}
        told = config.get("parameters")
        if isinstance(told, dict):
            implied = {key: value for key, value in told.items() if key not in config}
            implied["parameters"] = told.get("parameters", [])
        if config.get("operation") == "select":
            implied |= {"operation": "query", "readOnly": True}
        return implied

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        wrong = []
        if config.get("connectionId") and config.get("connectionUrl"):
            wrong.append(("connectionUrl", "Either connectionId or connectionUrl, not both."))
        operation, has_query = config.get("operation", "query"), bool(config.get("query"))
        if operation == "query" and not has_query:
            wrong.append(("query", "A query needs its SQL."))
        if operation in ("insert", "update", "delete") and not has_query and not config.get("table"):
            wrong.append(("table", f"{operation} needs a table, or a query."))
        return wrong


def _target(config: DatabaseConfig, lent: Lent) -> databases.Target:
    if config.connection_id:
        target = databases.of_credential(lent.credential(config.connection_id))
    elif config.connection_url:
        target = databases.of_url(config.connection_url)
        if target.password:
            lent.hide(target.password)  # in the URL it may have been spelled otherwise
    else:
        raise ConfigError("Which database? Set connectionId, a credential of kind database.", code="credential_missing")
    wanted = databases.ENGINES.get((config.provider or target.engine).lower())
    if wanted is not target.engine:
        raise ConfigError(f"provider is {config.provider}, but the connection is of {target.engine.value}.")
    return target


def _statement(config: DatabaseConfig) -> databases.Sql | databases.Change | databases.ListTables:
    if config.operation == "listTables":
        return databases.ListTables(schema=config.db_schema)
    if config.query and config.query.strip():
        return databases.Sql(text=config.query, parameters=tuple(config.parameters))
    if config.operation == "query" or not config.table:
        raise ConfigError(f"{config.operation} needs a query{'' if config.operation == 'query' else ' or a table'}.")
    returning = tuple(config.returning)
    if config.operation == "delete":
        return databases.Delete(table=config.table, where=config.where, returning=returning)
    if config.operation == "insert" and isinstance(config.data, list):
        return databases.Insert(table=config.table, rows=[_row(row) for row in config.data], returning=returning)
    values = _row(config.data)
    if config.operation == "insert":
        return databases.Insert(table=config.table, rows=[values], returning=returning)
    return databases.Update(table=config.table, values=values, where=config.where, returning=returning)


def _row(value: Any) -> databases.Row:
    if not isinstance(value, dict):
        raise InputError("data: A row is an object, column → value.")
    return value
