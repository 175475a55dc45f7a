from __future__ import annotations

from dataclasses import replace

import pytest

from handlers.databases import Engine, Target, of_credential, of_url
from handlers.databases.target import Tls
from handlers.errors import ConfigError
from handlers.ports import Credential

TARGET = Target(engine=Engine.POSTGRESQL, host="db.test", port=5432, user="u", password="p:w/", database="d")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("postgresql://u:p%3Aw%2F@db.test/d", TARGET),
        ("postgres://u:p%3Aw%2F@db.test:5433/d?sslmode=verify-full", replace(TARGET, port=5433, tls=Tls.VERIFY_FULL)),
        ("mysql://u:p%3Aw%2F@db.test/d?ssl=true", replace(TARGET, engine=Engine.MYSQL, port=3306, tls=Tls.REQUIRE)),
        ("mariadb://u@db.test/d", replace(TARGET, engine=Engine.MYSQL, port=3306, password="")),
        ("postgresql://u@[::1]/d", replace(TARGET, host="::1", password="")),
    ],
)
def test_target_of_a_url(url: str, target: Target) -> None:
    assert of_url(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "mongodb://u:s3cret@db.test/d",
        "postgresql://u:s3cret@/d",
        "postgresql://u:s3cret@%2Fvar%2Frun%2Fpostgresql/d",  # a socket in the file system
        "postgresql://u:s3cret@a.test,b.test/d",  # several hosts, of which one would be checked
        "postgresql://u:s3cret@db.test:port/d",
        "postgresql://:s3cret@db.test/d",
        "postgresql://u:s3cret@db.test",
        "postgresql://u:s3cret@db.test/d?sslmode=maybe",
        "postgresql://u:s3cret@[db.test/d",
        "postgresql://u:s3cret%00@db.test/d",
    ],
)
def test_target_of_a_url_that_leads_to_none_is_refused_without_telling_it(url: str) -> None:
    with pytest.raises(ConfigError) as failure:
        of_url(url)

    assert "s3cret" not in str(failure.value)


def test_target_of_a_credential() -> None:
    values = {"engine": "postgresql", "host": "db.test", "user": "u", "password": "p:w/", "database": "d"}
    given = Credential(id="c", kind="database", name="Mine", values=values)

    assert of_credential(given) == TARGET
    with_more = replace(given, values={**values, "port": "6", "ssl": "require"})
    assert of_credential(with_more) == replace(TARGET, port=6, tls=Tls.REQUIRE)


@pytest.mark.parametrize(
    ("kind", "more"), [("smtp", {}), ("database", {"port": "x"}), ("database", {"engine": "oracle"})]
)
def test_target_of_a_credential_that_leads_to_none_is_refused(kind: str, more: dict[str, str]) -> None:
    values = {"engine": "mysql", "host": "db.test", "user": "u", "database": "d", **more}

    with pytest.raises(ConfigError):
        of_credential(Credential(id="c", kind=kind, name="Mine", values=values))


def test_target_in_a_traceback_tells_no_password() -> None:
    assert "p:w/" not in repr(TARGET)
