"""Credentials of servers, tried out on real ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from handlers import HandlerError
from tests.handlers.databases.sites import Site, postgres_site
from tests.handlers.mail.servers import MailBox, mail_server
from tests.handlers.policies import allowing
from workflows.credentials.trials import Trial
from workflows.credentials.values import checked

PASSWORD = "pass-5f1c9e"


def tried(kind: str, **values: Any) -> str:
    """What is said of a credential with these values, as it is stored."""
    trial = Trial()
    filled = checked(kind, values)
    trial.hide(*filled.secrets())
    return trial.told(filled.try_out(trial))


@pytest.fixture(scope="module")
def site(services: None) -> Iterator[Site]:
    with postgres_site(settings.DATABASE_URL) as made:
        yield made


def database(site: Site, **more: Any) -> dict[str, Any]:
    parts = urlsplit(site.url)
    password = {"password": parts.password} if parts.password else {}
    return {
        "engine": "postgresql",
        "host": parts.hostname,
        "port": site.port,
        "user": parts.username,
        **password,
        "database": parts.path[1:],
        "ssl": "disable",
        **more,
    }


def test_database_that_answers_is_good(site: Site) -> None:
    values = database(site)

    assert tried("database", **values) == f"The database {values['database']} at 127.0.0.1:{values['port']} answers."


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"database": "nowhere"}, "nowhere"),
        ({"user": "nobody", "password": PASSWORD}, "nobody"),
        ({"port": 1}, "127.0.0.1:1"),
    ],
)
def test_database_that_lets_nobody_in_is_told_by_its_reason(site: Site, more: dict[str, Any], part: str) -> None:
    with pytest.raises(HandlerError, match=part) as raised:
        tried("database", **database(site, **more))

    assert "5f1c9e" not in str(raised.value)


def test_database_inside_the_network_is_not_reached(site: Site) -> None:
    with allowing(), pytest.raises(HandlerError) as raised:
        tried("database", **database(site))

    assert raised.value.code == "egress_refused"


def smtp(box: MailBox, **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": box.port, "security": "none", **more}


def test_mail_server_that_lets_the_user_in_is_good() -> None:
    """No mail is sent."""
    with mail_server(MailBox(password=PASSWORD)) as box:
        told = tried("smtp", **smtp(box, user="ada", password=PASSWORD))

    assert told == f"The mail server 127.0.0.1:{box.port} lets ada in."
    assert (box.logins, box.messages) == (["ada"], [])


def test_mail_server_that_asks_for_nobody_has_to_answer() -> None:
    with mail_server(MailBox()) as box:
        assert tried("smtp", **smtp(box)) == f"The mail server 127.0.0.1:{box.port} answers."

    assert [command.split()[0] for command in box.commands] == ["ehlo", "quit"]


@pytest.mark.parametrize(
    ("box", "more", "code"),
    [
        (MailBox(password="another"), {"user": "ada", "password": PASSWORD}, "credentials_refused"),
        (MailBox(), {"security": "starttls"}, "tls"),  # it has none, and nothing is said in the clear
        (MailBox(replies={"ehlo": "550 not you", "helo": "550 nor so"}), {}, "provider_error"),
    ],
)
def test_mail_server_that_refuses_is_told_by_its_reason(box: MailBox, more: dict[str, Any], code: str) -> None:
    with mail_server(box), pytest.raises(HandlerError) as raised:
        tried("smtp", **smtp(box, **more))

    assert raised.value.code == code
    assert "5f1c9e" not in str(raised.value)
