"""Databases of others: a statement goes to one, its rows come back as JSON.

    with network.call(lent, seconds=30):
        result = databases.run(target, build(statement), bounds)

Connections are made for one statement and through the guard of `handlers.network`; a call that is stopped or overdue
shuts them down. Every statement is a transaction of its own, committed when it has succeeded.
"""

from handlers.databases.results import Bounds, Result
from handlers.databases.running import run
from handlers.databases.statements import Change, Delete, Insert, ListTables, Parameter, Row, Sql, Update
from handlers.databases.target import ENGINES, Engine, Target, of_credential, of_url

__all__ = [
    "ENGINES",
    "Bounds",
    "Change",
    "Delete",
    "Engine",
    "Insert",
    "ListTables",
    "Parameter",
    "Result",
    "Row",
    "Sql",
    "Target",
    "Update",
    "of_credential",
    "of_url",
    "run",
]
