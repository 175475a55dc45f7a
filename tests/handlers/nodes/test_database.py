from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from django.conf import settings
from pydantic import ValidationError

from handlers.errors import ConfigError, EgressRefused, InputError, NodeTimeout, Unreachable
from handlers.ports import Credential
from handlers.registry import check_config
from tests.handlers.cancelling import cancelled
from tests.handlers.databases.sites import Site, mysql_site, postgres_site
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.servers import socket_server, stay_silent

ROWS = [{"id": 1, "name": "Ada", "doc": {"x": [1]}}, {"id": 2, "name": None, "doc": None}]
ATTACK = "x'; DROP TABLE people; --"


@pytest.fixture(scope="module", params=["postgresql", "mysql"])
def site(request: pytest.FixtureRequest, services: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    is_postgres = request.param == "postgresql"
    with postgres_site(settings.DATABASE_URL) if is_postgres else mysql_site(tmp_path_factory.mktemp("mysql")) as made:
        yield made


def ask(site: Site, lent: RecordingLent | None = None, **config: Any) -> Any:
    return run("database", {"connectionUrl": site.url, **config}, lent=lent).data


@pytest.fixture
def people(site: Site) -> Site:
    """A table of two."""
    ask(site, query="DROP TABLE IF EXISTS people")
    ask(site, query="CREATE TABLE people (id int PRIMARY KEY, name varchar(99), doc json)")
    ask(site, operation="insert", table="people", data=ROWS)
    return site


def count(site: Site) -> int:
    found: int = ask(site, query="SELECT count(*) AS n FROM people")["data"][0]["n"]
    return found


def test_database_rows_are_data(people: Site) -> None:
    """In the shape that existing workflows read."""
    told = ask(people, query="SELECT id, name FROM people ORDER BY id")

    assert told == {
        "operation": "query",
        "provider": "postgresql" if people.place == "$1" else "mysql",
        "success": True,
        "data": [{"id": 1, "name": "Ada"}, {"id": 2, "name": None}],
        "rowCount": 2,
        "metadata": {"columns": ["id", "name"], "truncated": False},
    }


def test_database_value_that_is_sql_stays_a_value(people: Site) -> None:
    """SQL injection by a parameter, by data, and by a condition."""
    ask(people, operation="update", table="people", data={"name": ATTACK}, where={"id": 1})

    found = ask(people, query=f"SELECT id FROM people WHERE name = {people.place}", parameters=[ATTACK])
    also = ask(people, operation="delete", table="people", where={"name": ATTACK})

    assert (found["data"], also["rowCount"], count(people)) == ([{"id": 1}], 1, 1)


@pytest.mark.parametrize("name", ['name" = NULL; DROP TABLE people; --', "name` = NULL; DROP TABLE people; --"])
def test_database_column_that_is_sql_is_a_name_nobody_has(people: Site, name: str) -> None:
    """SQL injection by a name."""
    with pytest.raises(InputError) as failure:
        ask(people, operation="update", table="people", data={name: "x"}, where={"id": 1})

    assert (failure.value.code, count(people)) == ("query_failed", 2)


@pytest.mark.parametrize("first", ["SELECT 1", "DELETE FROM people", "COMMIT"])
def test_database_query_of_two_statements_is_refused(people: Site, first: str) -> None:
    """Stacked queries."""
    with pytest.raises(InputError) as failure:
        ask(people, query=f"{first}; DELETE FROM people")

    assert (failure.value.code, count(people)) == ("query_failed", 2)


@pytest.mark.parametrize("query", ["DELETE FROM people", "DROP TABLE people", "UPDATE people SET name = 'x'"])
def test_database_that_may_only_be_read_refuses_changes(people: Site, query: str) -> None:
    with pytest.raises(InputError, match=r"(?i)read.only"):
        ask(people, query=query, readOnly=True)

    assert count(people) == 2


@pytest.mark.parametrize("read_only", [True, False])
def test_database_gives_so_many_rows_and_says_that_there_are_more(site: Site, read_only: bool) -> None:
    """A million of them are never held in memory."""
    lent = RecordingLent()

    told = ask(site, lent, query=site.many, maxRows=3, readOnly=read_only)

    assert ([row["n"] for row in told["data"]], told["metadata"]["truncated"]) == ([1, 2, 3], True)
    assert [level for level, _ in lent.logs] == ["warning"]


def test_database_change_says_how_many_rows(people: Site) -> None:
    changed = ask(people, operation="update", table="people", data={"name": "B"}, where={"id": [1, 2, 3]})
    deleted = ask(people, operation="delete", table="people", where={"name": "B", "id": 1})

    assert (changed["rowCount"], deleted["rowCount"], count(people)) == (2, 1, 1)


def test_database_tables_are_listed(people: Site) -> None:
    rows = ask(people, operation="listTables")["data"]

    assert [(row["name"], row["type"]) for row in rows] == [("people", "base table")]


@pytest.mark.parametrize("query", ["SELCT 1", "SELECT * FROM nowhere", "INSERT INTO people (id) VALUES (1)"])
def test_database_statement_that_is_refused_fails_with_what_the_database_says(people: Site, query: str) -> None:
    with pytest.raises(InputError) as failure:
        ask(people, query=query)

    assert (failure.value.code, failure.value.retryable) == ("query_failed", False)
    assert failure.value.details


def test_database_statement_that_takes_too_long_fails_as_timeout(site: Site) -> None:
    started = monotonic()

    with pytest.raises(NodeTimeout):
        ask(site, query=site.sleep, timeout=0.5)

    assert monotonic() - started < 5


def test_database_cancelled_while_it_waits_ends_at_once(site: Site) -> None:
    lent = RecordingLent()
    with cancelled(lent):
        ask(site, lent, query=site.sleep)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_database_cancelled_while_it_connects_ends_at_once(scheme: str) -> None:
    """To a server that accepts and says nothing."""
    lent = RecordingLent()
    with socket_server(stay_silent) as (host, port), cancelled(lent):
        run("database", {"connectionUrl": f"{scheme}://u@{host}:{port}/d", "query": "SELECT 1"}, lent=lent)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_database_that_nobody_serves_is_unreachable(scheme: str) -> None:
    with pytest.raises(Unreachable):
        run("database", {"connectionUrl": f"{scheme}://u@127.0.0.1:9/d", "query": "SELECT 1"})


@pytest.mark.usefixtures("default_policy")
@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "169.254.169.254"])
def test_database_inside_is_refused(scheme: str, host: str) -> None:
    """Server-side request forgery, in the database's protocol."""
    with pytest.raises(EgressRefused):
        run("database", {"connectionUrl": f"{scheme}://u@{host}/d", "query": "SELECT 1"})


def test_database_of_a_stranger_is_not_told_the_workers_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client library would send what lies in its environment to any server that asks."""
    monkeypatch.setenv("PGPASSWORD", "workers-own")
    said: list[bytes] = []

    def ask_for_password(connection: Any) -> None:
        connection.recv(65536)  # SSLRequest
        connection.sendall(b"N")
        connection.recv(65536)  # StartupMessage
        connection.sendall(b"R\0\0\0\x08\0\0\0\x03")  # AuthenticationCleartextPassword
        said.append(connection.recv(65536))

    with socket_server(ask_for_password) as (host, port), pytest.raises((ConfigError, Unreachable)):
        run("database", {"connectionUrl": f"postgresql://u@{host}:{port}/d", "query": "SELECT 1"})

    assert b"workers-own" not in b"".join(said)


def test_database_that_lets_nobody_in_is_a_matter_of_the_credential(site: Site) -> None:
    """Another attempt would not help."""
    url = f"{site.url.partition(':')[0]}://nobody_{site.port}:s3cret@127.0.0.1:{site.port}/nowhere"

    with pytest.raises(ConfigError) as failure:
        run("database", {"connectionUrl": url, "query": "SELECT 1"})

    assert failure.value.code == "credentials_refused"
    assert "s3cret" not in str(failure.value)


def test_database_of_a_credential(site: Site) -> None:
    engine = "postgresql" if site.place == "$1" else "mysql"
    user = site.url.partition("//")[2].partition("@")[0].partition(":")
    values = {"engine": engine, "host": "127.0.0.1", "port": str(site.port), "user": user[0], "password": user[2]}
    values["database"] = site.url.rpartition("/")[2]
    lent = RecordingLent(credentials=[Credential(id="c", kind="database", name="Mine", values=values)])

    told = run("database", {"connectionId": "c", "provider": engine, "query": "SELECT 1 AS n"}, lent=lent).data

    assert told["data"] == [{"n": 1}]
    other = "mysql" if engine == "postgresql" else "postgresql"
    with pytest.raises(ConfigError, match="provider"):
        run("database", {"connectionId": "c", "provider": other, "query": "SELECT 1"}, lent=lent)


@pytest.mark.parametrize(
    ("config", "fields"),
    [
        ({"query": "SELECT 1"}, []),
        ({"query": "SELECT $1", "parameters": ["{{a.b}}"]}, []),
        ({"query": "SELECT $1", "parameters": "{{a.b}}"}, []),
        ({"query": "SELECT {{a.b}}"}, ["query"]),  # whatever it holds would be SQL
        ({}, ["query"]),
        ({"operation": "insert"}, ["table"]),
        ({"operation": "insert", "table": "t", "data": "{{rows}}"}, []),
        ({"operation": "find"}, ["operation"]),
        ({"query": "SELECT 1", "provider": "mongodb"}, ["provider"]),
        ({"query": "SELECT 1", "databaseType": "mariadb"}, []),
        ({"query": "SELECT 1", "connectionId": "c", "connectionUrl": "mysql://u@h/d"}, ["connectionUrl"]),
        ({"query": "SELECT 1", "maxRows": 0}, ["maxRows"]),
    ],
)
def test_database_as_drawn_is_checked(config: dict[str, Any], fields: list[str]) -> None:
    assert [field for field, _ in check_config(CATALOGUE["database"], config)] == fields


def test_database_mongodb_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="MongoDB is not supported"):
        run("database", {"provider": "mongodb", "query": "{}"})


@pytest.mark.parametrize(
    ("drawn", "meant"),
    [
        ({"operation": "select", "query": "SELECT 1"}, {"operation": "query", "readOnly": True}),
        (
            {"operation": "insert", "parameters": {"table": "t", "data": {"a": 1}}},
            {"table": "t", "data": {"a": 1}, "parameters": []},
        ),
        ({"parameters": {"query": "SELECT $1", "parameters": [1]}}, {"query": "SELECT $1", "parameters": [1]}),
        ({"query": "SELECT 1"}, {}),
    ],
)
def test_database_of_existing_templates_is_understood(drawn: dict[str, Any], meant: dict[str, Any]) -> None:
    assert CATALOGUE["database"].handler.implied("database", drawn) == meant


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"operation": "insert", "table": "t", "data": "text"}, InputError),
        ({"operation": "delete", "table": "t"}, InputError),
        ({"operation": "update", "table": "t", "data": [{}]}, InputError),
        ({"operation": "query"}, ConfigError),
    ],
)
def test_database_that_is_told_nonsense_is_not_asked(config: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        run("database", {"connectionUrl": "postgresql://u@127.0.0.1:9/d", **config})
