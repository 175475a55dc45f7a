"""Statements for MySQL and MariaDB, by PyMySQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

import pymysql
from pymysql.cursors import Cursor, SSCursor

from handlers import network
from handlers.databases.results import Bounds, Result, collect, distinct
from handlers.databases.statements import Dialect, ListTables, Sql, stored
from handlers.databases.target import Target, Tls
from handlers.errors import ConfigError, HandlerError, InputError, NodeTimeout, ProviderError, Unreachable


def _quoted(name: str) -> str:
    """Source: MySQL Reference Manual, 11.2, "Schema Object Names": a backtick in a name is doubled."""
    return "`" + name.replace("`", "``") + "`"


DIALECT: Final = Dialect(quote=_quoted, place=lambda n: "?", returns=False)  # noqa: ARG005 -- its places have no numbers

_TABLES: Final = """
    SELECT table_schema AS `schema`, table_name AS name, lower(table_type) AS type
    FROM information_schema.tables
    WHERE table_schema = coalesce(?, database())
    ORDER BY 1, 2
"""
# Source: MySQL Error Reference; MariaDB Error Codes.
_REFUSED: Final = frozenset({1044, 1045, 1049, 1698})  # no access to the database, wrong password, no such database
_PASSING: Final = frozenset({1040, 1053, 1203, 1205, 1213, 1226})  # too many, shutting down, lock waits, deadlock
_TOO_SLOW: Final = frozenset({1317, 1969, 3024})  # interrupted, max_statement_time, max_execution_time
_AWAY: Final = range(2000, 2100)  # the client's own


def run(target: Target, statement: Sql | ListTables, bounds: Bounds) -> Result:
    """The outcome of *statement*, committed; within the current network call. Raises HandlerError."""
    if isinstance(statement, ListTables):
        statement = Sql(text=_TABLES, parameters=(statement.schema,))
    with _explained(target, bounds), _connected(target) as connection:
        with connection.cursor(Cursor) as cursor:
            _settle(cursor, bounds, is_mariadb="MariaDB" in connection.get_server_info())
            connection.begin()
            # Prepared by the server: what the parameters hold never is SQL, and it is one statement.
            cursor.execute("PREPARE flowmaestro FROM %s", (statement.text,))
            places = [f"@flowmaestro_{number}" for number in range(len(statement.parameters))]
            if places:
                assigned = ", ".join(f"{place} = %s" for place in places)
                cursor.execute(f"SET {assigned}", tuple(stored(value) for value in statement.parameters))
        result = _result(connection, f"EXECUTE flowmaestro{' USING ' if places else ''}{', '.join(places)}", bounds)
        if not connection.is_cut_off:
            connection.commit()
        return result


class _Connection(pymysql.connections.Connection):  # type: ignore[misc]  # it has no types
    is_cut_off = False

    def cut_off(self) -> None:
        """Leave it with the answer half read: what else the server has to say is not wanted."""
        self.is_cut_off = True
        if self._result is not None:
            self._result.unbuffered_active = False  # or it would read on when it is closed, or forgotten
        self._force_close()


def _result(connection: _Connection, execute: str, bounds: Bounds) -> Result:
    try:
        return _read(connection, connection.cursor(SSCursor), execute, bounds)  # row by row, as the server sends them
    except BaseException:
        connection.cut_off()
        raise


def _read(connection: _Connection, cursor: SSCursor, execute: str, bounds: Bounds) -> Result:
    cursor.execute(execute)
    columns = distinct([column[0] for column in cursor.description or ()])
    if not columns:
        return Result(rows=[], count=cursor.rowcount, columns=(), last_id=cursor.lastrowid or None)
    rows, is_cut = collect(islice(cursor, bounds.rows + 1), columns, bounds)
    if is_cut and bounds.read_only:
        connection.cut_off()
    else:
        cursor.close()  # which reads the rest: an answer that is broken off would take what was written with it
    return Result(rows=rows, count=len(rows), columns=columns, is_cut=is_cut)


def _settle(cursor: Cursor, bounds: Bounds, *, is_mariadb: bool) -> None:
    if is_mariadb:
        cursor.execute("SET SESSION max_statement_time = %s", (bounds.seconds,))
    else:
        cursor.execute("SET SESSION max_execution_time = %s", (round(bounds.seconds * 1000),))
    if bounds.read_only:  # of the session, as some statements end their transaction
        cursor.execute("SET SESSION TRANSACTION READ ONLY")


@contextmanager
def _connected(target: Target) -> Iterator[_Connection]:
    tls: dict[str, Any] = {"ssl_disabled": target.tls is Tls.DISABLE}  # not disabled, it is used if the server has it
    if target.tls in {Tls.REQUIRE, Tls.VERIFY_FULL}:
        tls = {"ssl": network.tls_context(verified=target.tls is Tls.VERIFY_FULL)}
    connection = _Connection(
        host=target.host,
        port=target.port,
        user=target.user,
        password=target.password,
        database=target.database,
        charset="utf8mb4",
        autocommit=False,
        local_infile=False,  # a server may ask for files of ours
        defer_connect=True,
        **tls,
    )
    sock = network.connect(target.host, target.port)
    try:
        connection.connect(sock)
        yield connection
    finally:
        if connection.open:
            connection.close()
        sock.close()


@contextmanager
def _explained(target: Target, bounds: Bounds) -> Iterator[None]:
    try:
        yield
    except (pymysql.Error, OSError) as error:
        raise _failure(error, target, bounds) from error
    except RuntimeError as error:  # what PyMySQL refuses to do for a server, such as to send it a file
        raise ProviderError(f"{target.host}: {error}", code="invalid_response") from error


def _failure(error: Exception, target: Target, bounds: Bounds) -> HandlerError:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    said = str(error.args[1] if len(error.args) > 1 else error)
    if network.current_call().is_overdue or code in _TOO_SLOW:
        return NodeTimeout(f"{target.host}: the statement did not end within {bounds.seconds:g} s.")
    if code in _REFUSED:
        return ConfigError(f"{target.host} does not let {target.user} in: {said}", code="credentials_refused")
    if code in _AWAY or isinstance(error, OSError):
        return Unreachable(f"{target.host}:{target.port} cannot be used: {said}")
    if code in _PASSING:
        return ProviderError(f"{target.host}: {said}", retryable=True, details={"errno": code})
    return InputError(said, code="query_failed", details={"errno": code})
