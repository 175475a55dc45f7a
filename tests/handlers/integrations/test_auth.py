from __future__ import annotations

from base64 import b64encode

import pytest

from handlers import ConfigError
from handlers.integrations import Auth, Basic, Bearer, Header, Query
from tests.handlers.fakes import RecordingLent
from tests.handlers.integrations.played import reply
from tests.handlers.integrations.toys import do, shop

ARTICLE = {"shelf": "a", "article": "pen"}
BASIC = b64encode(b"ada:s3cret").decode()


@pytest.mark.parametrize(
    ("auth", "values", "header", "sent"),
    [
        (Bearer(), {"access_token": "fresh", "token": "other"}, "authorization", "Bearer fresh"),
        (Bearer(), {"token": "given\n"}, "authorization", "Bearer given"),
        (Bearer(words={"api_key": "Bot"}), {"api_key": "key"}, "authorization", "Bot key"),
        (Header(name="X-Key"), {"api_key": "key"}, "x-key", "key"),
        (Basic(), {"user": "ada", "password": "s3cret"}, "authorization", f"Basic {BASIC}"),
        (Basic(), {"api_key": "key"}, "authorization", f"Basic {b64encode(b'key:').decode()}"),
    ],
)
def test_credential_is_sent_as_the_service_wants_it(auth: Auth, values: dict[str, str], header: str, sent: str) -> None:
    """Whatever its kind calls the field."""
    _, (request,) = do(shop(auth=auth), "put", ARTICLE, reply({}), **values)

    assert request.headers[header] == sent


def test_credential_that_goes_into_the_address_is_told_in_no_error() -> None:
    """The address of a request is what errors begin with."""
    with pytest.raises(Exception, match="answered 500") as failure:
        do(shop(auth=Query(name="key")), "put", ARTICLE, reply({"message": "no"}, status=500), api_key="the-key")

    assert "the-key" not in str(failure.value)


def test_credential_in_the_address_is_sent_there() -> None:
    _, (request,) = do(shop(auth=Query(name="key")), "put", ARTICLE | {"dryRun": True}, reply({}), api_key="a b")

    assert request.path == "/shelves/a/articles?dry=true&key=a+b"


def test_password_is_hidden_as_it_is_spelled_in_the_header() -> None:
    """A service that tells what it was sent tells no password."""
    lent = RecordingLent()

    do(shop(auth=Basic()), "put", ARTICLE, reply({}), lent=lent, user="ada", password="s3cret")

    assert BASIC in lent.hidden


def test_credential_without_a_key_is_the_wrong_one() -> None:
    """One of a mail server, say."""
    with pytest.raises(ConfigError, match="'Ours' of kind api_key has no token") as failure:
        do(shop(), "put", ARTICLE, reply({}), host="mail.example.com")

    assert failure.value.code == "credential_unfit"
