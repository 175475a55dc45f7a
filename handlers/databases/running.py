"""Which client speaks to which database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from handlers.databases import mysql, postgres
from handlers.databases.results import Bounds, Result
from handlers.databases.statements import Change, Dialect, ListTables, Sql, build
from handlers.databases.target import Engine, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    dialect: Dialect
    run: Callable[[Target, Sql | ListTables, Bounds], Result]


_CLIENTS: Final = {
    Engine.POSTGRESQL: _Client(dialect=postgres.DIALECT, run=postgres.run),
    Engine.MYSQL: _Client(dialect=mysql.DIALECT, run=mysql.run),
}


def run(target: Target, statement: Sql | Change | ListTables, bounds: Bounds) -> Result:
    """The outcome of *statement*, committed; within the current network call.

    Raises InputError for a statement that the database refuses (`query_failed`), ConfigError when it lets nobody in,
    Unreachable and ProviderError for what may pass, NodeTimeout, EgressRefused.
    """
    client = _CLIENTS[target.engine]
    if not isinstance(statement, Sql | ListTables):
        statement = build(statement, client.dialect)
    return client.run(target, statement, bounds)
