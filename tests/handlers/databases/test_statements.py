from __future__ import annotations

from typing import Any

import pytest

from handlers.databases import Change, Delete, Insert, Update
from handlers.databases.mysql import DIALECT as MYSQL
from handlers.databases.postgres import DIALECT as POSTGRES
from handlers.databases.statements import MAX_ROWS_WRITTEN, Sql, build
from handlers.errors import InputError


@pytest.mark.parametrize(
    ("change", "postgres", "mysql", "parameters"),
    [
        (
            Insert(table="t", rows=[{"a": 1, "b": "x"}, {"b": None, "a": 2}]),
            'INSERT INTO "t" ("a", "b") VALUES ($1, $2), ($3, $4)',
            "INSERT INTO `t` (`a`, `b`) VALUES (?, ?), (?, ?)",
            (1, "x", 2, None),
        ),
        (
            Update(table="s.t", values={"a": [1, "ü"]}, where={"b": None, "c": [1, 2], "d": "x"}),
            'UPDATE "s"."t" SET "a" = $1 WHERE "b" IS NULL AND "c" IN ($2, $3) AND "d" = $4',
            "UPDATE `s`.`t` SET `a` = ? WHERE `b` IS NULL AND `c` IN (?, ?) AND `d` = ?",
            ('[1, "ü"]', 1, 2, "x"),
        ),
        (
            Delete(table="t", where={"a": {"x": 1}}),
            'DELETE FROM "t" WHERE "a" = $1',
            "DELETE FROM `t` WHERE `a` = ?",
            ('{"x": 1}',),
        ),
    ],
)
def test_build_writes_a_change_with_its_values_beside_it(
    change: Change, postgres: str, mysql: str, parameters: tuple[Any, ...]
) -> None:
    assert build(change, POSTGRES) == Sql(text=postgres, parameters=parameters)
    assert build(change, MYSQL) == Sql(text=mysql, parameters=parameters)


@pytest.mark.parametrize("name", ['a"; DROP TABLE t; --', "a`; DROP TABLE t; --", "a'--", "a\\", "a b", "%s", "ü"])
def test_build_with_a_name_that_would_be_sql_quotes_it(name: str) -> None:
    """Injection by the name of a column: columns come from data, too."""
    change = Update(table="t", values={name: 1}, where={name: 2})
    doubled, ticked = name.replace('"', '""'), name.replace("`", "``")

    assert build(change, POSTGRES).text == f'UPDATE "t" SET "{doubled}" = $1 WHERE "{doubled}" = $2'
    assert build(change, MYSQL).text == f"UPDATE `t` SET `{ticked}` = ? WHERE `{ticked}` = ?"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Delete(table="t", where={}), "where"),  # of everything
        (Update(table="t", values={"a": 1}, where={}), "where"),
        (Update(table="t", values={}, where={"a": 1}), "data"),
        (Delete(table="t", where={"a": []}), r"where\.a"),
        (Delete(table="t", where={"a": [1, None]}), r"where\.a"),  # which IN would never find
        (Insert(table="t", rows=[]), "data"),
        (Insert(table="t", rows=[{}]), "data"),
        (Insert(table="t", rows=[{"a": 1}, {"b": 1}]), "data"),
        (Insert(table="t", rows=[{"a": 1}] * (MAX_ROWS_WRITTEN + 1)), "data"),
        (Insert(table="t", rows=[{f"c{number}": 1 for number in range(61)}] * MAX_ROWS_WRITTEN), "61000 values"),
        (Delete(table="", where={"a": 1}), "no name"),
        (Delete(table="t\0", where={"a": 1}), "no name"),
        (Delete(table="t" * 129, where={"a": 1}), "no name"),
    ],
)
def test_build_of_a_change_that_cannot_be_meant_is_refused(change: Change, told: str) -> None:
    with pytest.raises(InputError, match=told):
        build(change, POSTGRES)


def test_build_gives_back_what_was_changed_where_the_database_does() -> None:
    change = Delete(table="t", where={"a": 1}, returning=["*", 'b"'])

    assert build(change, POSTGRES).text == 'DELETE FROM "t" WHERE "a" = $1 RETURNING *, "b"""'
    with pytest.raises(InputError, match="returning"):
        build(change, MYSQL)
