"""Statements for PostgreSQL, by psycopg."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import psycopg
from psycopg import sql
from psycopg.errors import FeatureNotSupported, InvalidCursorDefinition, SyntaxError  # noqa: A004 -- its name there
from psycopg.raw_cursor import RawCursor, RawServerCursor

from handlers import network
from handlers.base import JSONValue
from handlers.databases.results import Bounds, Result, collect, distinct
from handlers.databases.statements import Dialect, ListTables, Parameter, Sql
from handlers.databases.target import Target, Tls
from handlers.errors import ConfigError, HandlerError, InputError, NodeTimeout, ProviderError, Unreachable

DIALECT: Final = Dialect(quote=lambda name: sql.Identifier(name).as_string(None), place=lambda n: f"${n}", returns=True)

_TABLES: Final = """
    SELECT table_schema AS schema, table_name AS name, lower(table_type) AS type
    FROM information_schema.tables
    WHERE table_schema = $1 OR $1 IS NULL AND table_schema NOT IN ('pg_catalog', 'information_schema')
    ORDER BY 1, 2
"""
# A statement whose caller has gone ends within a second, where the server can look for that (from 14 on).
_SETTLE: Final = """
    SELECT set_config(name, CASE name WHEN 'statement_timeout' THEN %s ELSE '1s' END, false)
    FROM pg_settings WHERE name IN ('statement_timeout', 'client_connection_check_interval')
"""
# Of a server that is there and lets nobody in for now; what else it says before it lets somebody in stays so.
_BUSY: Final = ("too many", "connection slots", "starting up", "shutting down", "recovery")
# Source: PostgreSQL, Appendix A: 08 connection, 40 rolled back for another transaction's sake, 53 no resources, 55 in
# use, 57 the operator's doing.
_PASSING_CLASSES: Final = frozenset({"08", "40", "53", "55", "57"})
_QUERY_CANCELED: Final = "57014"
# Of a statement that cannot be read by a cursor: it is no SELECT.
_NO_CURSOR: Final = (SyntaxError, FeatureNotSupported, InvalidCursorDefinition)


def run(target: Target, statement: Sql | ListTables, bounds: Bounds) -> Result:
    """The outcome of *statement*, committed; within the current network call. Raises HandlerError."""
    if isinstance(statement, ListTables):
        statement = Sql(text=_TABLES, parameters=(statement.schema,))
    with _explained(target, bounds), _connected(target) as connection, connection.transaction():
        connection.execute(_SETTLE, [f"{max(1, round(bounds.seconds * 1000))}"])
        if bounds.read_only:
            connection.execute("SET TRANSACTION READ ONLY")
        return _result(connection, statement, bounds)


def _result(connection: psycopg.Connection, statement: Sql, bounds: Bounds) -> Result:
    parameters = [_bound(value) for value in statement.parameters]
    try:
        # A cursor on the server: of a million rows only those that are wanted are sent.
        with connection.transaction(), RawServerCursor(connection, "flowmaestro") as cursor:
            cursor.execute(statement.text, parameters)
            columns = distinct([column.name for column in cursor.description or ()])
            rows, is_cut = collect(islice(cursor, bounds.rows + 1), columns, bounds)
            return Result(rows=rows, count=len(rows), columns=columns, is_cut=is_cut)
    except _NO_CURSOR:
        pass  # it is told again below, if that was not the reason
    with RawCursor(connection) as plain:
        plain.execute(statement.text, parameters, prepare=True)  # which the server takes one statement for
        columns = distinct([column.name for column in plain.description or ()])
        rows, is_cut = collect(plain, columns, bounds) if columns else ([], False)
        return Result(rows=rows, count=max(0, plain.rowcount), columns=columns, is_cut=is_cut)


def _bound(value: Parameter) -> JSONValue:
    """An object, or a list that holds one, is JSON; any other list is an array, as `= ANY($1)` wants it."""
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict | list) for item in value)):
        return json.dumps(value, ensure_ascii=False)
    return value


@contextmanager
def _connected(target: Target) -> Iterator[psycopg.Connection]:
    call, options = network.current_call(), _options(target, network.addresses(target.host, target.port))

    def connect() -> psycopg.Connection:
        connection = psycopg.connect("", **options, autocommit=True)
        if call.stopped or call.is_overdue:
            connection.close()  # nobody is there any more to use it
        return connection

    connection = network.left_behind(connect, name=f"connect {target.host}")
    try:
        with socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as sock:
            call.hold(sock)
        yield connection
    finally:
        connection.close()


def _options(target: Target, addresses: Sequence[str]) -> dict[str, Any]:
    options: dict[str, Any] = {
        # To the addresses that were checked, each with the name that its certificate has to have.
        "host": ",".join([target.host] * len(addresses)),
        "hostaddr": ",".join(addresses),
        "port": ",".join([str(target.port)] * len(addresses)),
        "user": target.user,
        "password": target.password,
        "dbname": target.database,
        "sslmode": target.tls.value,
        "application_name": "flowmaestro",
        "client_encoding": "UTF8",
        "connect_timeout": max(2, round(network.current_call().remaining())),
        # What the worker's own account has lying about is not for servers that authors name.
        "passfile": f"{os.devnull}/none",
        "sslcertmode": "disable",
        "gssencmode": "disable",
    }
    if target.tls is Tls.VERIFY_FULL:
        options["sslrootcert"] = network.trusted_certificates() or "system"
    return options


@contextmanager
def _explained(target: Target, bounds: Bounds) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise _failure(error, target, bounds) from error


def _failure(error: psycopg.Error, target: Target, bounds: Bounds) -> HandlerError:
    state, call = error.sqlstate or "", network.current_call()
    said = error.diag.message_primary or str(error).strip().rpartition("failed: ")[2]
    if call.is_overdue or state == _QUERY_CANCELED:
        return NodeTimeout(f"{target.host}: the statement did not end within {bounds.seconds:g} s.")
    if not state and isinstance(error, psycopg.OperationalError):
        if "FATAL: " in said and not any(word in said for word in _BUSY):
            return ConfigError(f"{target.host} does not let {target.user} in: {said}", code="credentials_refused")
        return Unreachable(f"{target.host}:{target.port} cannot be used: {said}")
    if state[:2] in _PASSING_CLASSES:
        return ProviderError(f"{target.host}: {said}", retryable=True, details={"sqlstate": state})
    hints = [text for text in (error.diag.message_detail, error.diag.message_hint) if text]
    return InputError(" ".join([said, *hints]), code="query_failed", details={"sqlstate": state})
