from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from tests.doors import Api, data, error
from tests.factories import CredentialFactory, MemberFactory
from tests.workflows.credentials.providers import Provider, connected, token_provider
from workflows.credentials.values import read
from workflows.models import Consent, Credential
from workflows.workspaces.roles import Role

pytestmark = pytest.mark.django_db

TOKENS = (200, {"access_token": "access-new", "refresh_token": "refresh-new", "expires_in": 3600})


@pytest.fixture
def provider() -> Any:
    with token_provider() as provider:
        provider.answers = [TOKENS]
        yield provider


@pytest.fixture
def credential(provider: Provider, api: Api) -> Credential:
    """One that nobody has let in yet."""
    none = dict.fromkeys(("access_token", "refresh_token"))
    filled = {**none, "authorize_url": "https://id.example/ask?access_type=offline", "scopes": "read write"}
    return connected(provider, lasts=None, workspace=api.workspace, name="Shop", filled=filled)


def asked(api: Any, credential: Credential) -> dict[str, str]:
    """What the provider is told by whoever comes to the address."""
    url = urlsplit(data(api.get(f"/credentials/{credential.pk}/authorize"))["url"])
    assert url._replace(query="").geturl() == "https://id.example/ask"
    return dict(parse_qsl(url.query))


def back(client: Client | None = None, **query: str) -> HttpResponse:
    """What who comes back reads."""
    return (client or Client()).get("/oauth/callback", query)


def test_owner_who_agrees_connects_the_credential(api: Api, credential: Credential, provider: Provider) -> None:
    """The code is exchanged by who began, which the verifier proves: only its hash went through the browser."""
    told = asked(api, credential)

    page = back(state=told["state"], code="code-5f1c9e")

    assert (page.status_code, page.content.decode()) == (
        200,
        "The credential 'Shop' is connected. You can close this page.",
    )
    [form] = provider.asked
    challenge = urlsafe_b64encode(sha256(form.pop("code_verifier").encode()).digest()).decode().rstrip("=")
    assert told == {
        "access_type": "offline",
        "response_type": "code",
        "client_id": "shop",
        "scope": "read write",
        "redirect_uri": "http://testserver/oauth/callback",
        "state": told["state"],
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    assert form == {
        "grant_type": "authorization_code",
        "code": "code-5f1c9e",
        "redirect_uri": "http://testserver/oauth/callback",
    }
    credential.refresh_from_db()
    assert read(credential).texts().items() >= {"access_token": "access-new", "refresh_token": "refresh-new"}.items()
    assert credential.expires_at > timezone.now()


def test_expired_credential_is_ready_again(api: Api, credential: Credential) -> None:
    Credential.objects.update(refused_at=timezone.now())

    back(state=asked(api, credential)["state"], code="code-5f1c9e")

    assert data(api.get(f"/credentials/{credential.pk}"))["status"] == "ready"


def test_state_is_of_use_once(api: Api, credential: Credential, provider: Provider) -> None:
    """Whatever came of it: here the provider was not allowed, then it is tried again with a code from elsewhere."""
    state = asked(api, credential)["state"]

    pages = [back(state=state, error="access_denied"), back(state=state, code="code-5f1c9e")]

    assert [page.status_code for page in pages] == [400, 400]
    assert "was not allowed" in pages[0].content.decode()
    assert "begin anew" in pages[1].content.decode()
    assert provider.asked == []


def test_later_asking_replaces_the_one_before(api: Api, credential: Credential) -> None:
    first, second = (asked(api, credential)["state"] for _ in range(2))

    statuses = [back(state=state, code="code-5f1c9e").status_code for state in (first, second)]

    assert statuses == [400, 200]


@pytest.mark.parametrize("query", [{}, {"code": "c"}, {"state": "x", "code": "c"}])
def test_what_nobody_asked_for_is_refused(credential: Credential, provider: Provider, query: dict[str, str]) -> None:
    assert back(**query).status_code == 400
    assert provider.asked == []


def test_state_is_of_no_use_after_ten_minutes(api: Api, credential: Credential, provider: Provider) -> None:
    state = asked(api, credential)["state"]

    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1)):
        assert back(state=state, code="code-5f1c9e").status_code == 400

    assert provider.asked == []


def test_what_a_person_began_nobody_else_finishes(credential: Credential, provider: Provider) -> None:
    """Else somebody could be brought to connect their account to another's credential, or the other way round."""
    member = MemberFactory(workspace=credential.workspace, role=Role.EDITOR)
    browser, other = Client(), Client()
    browser.force_login(member.user)
    other.force_login(MemberFactory(workspace=credential.workspace).user)
    url = browser.get(f"/api/v1/credentials/{credential.pk}/authorize").json()["data"]["url"]
    state = dict(parse_qsl(urlsplit(url).query))["state"]

    statuses = [back(client, state=state, code="code-5f1c9e").status_code for client in (Client(), other, browser)]

    assert statuses == [400, 400, 200]
    assert len(provider.asked) == 1


def test_refusal_of_the_code_is_told_without_secrets(api: Api, credential: Credential, provider: Provider) -> None:
    """As plain text: it is the provider's, or whoever's that stands in for it."""
    provider.answers = [(400, {"error": "invalid_grant", "error_description": "<b>Bad code-5f1c9e</b>"})]
    state = asked(api, credential)["state"]

    page = back(state=state, code="code-5f1c9e")

    assert (page.status_code, page["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert "<b>Bad •••</b>" in page.content.decode()
    assert Credential.objects.get().refused_at is None


def test_what_is_stored_meanwhile_lets_nobody_in(api: Api, credential: Credential) -> None:
    """Neither the state nor the verifier can be read from the row."""
    state = asked(api, credential)["state"]

    [consent] = Consent.objects.values()

    assert not any(state in str(value) for value in consent.values())
    assert len(consent["verifier"]) > 100  # encrypted


@pytest.mark.parametrize(
    ("filled", "part"),
    [
        ({"authorize_url": None}, "Set authorize_url"),
        ({"grant": "client_credentials"}, "grant is refresh_token"),
        (None, "Only an oauth2 credential"),
    ],
)
def test_credential_that_nobody_can_let_in_is_a_409(
    api: Api, provider: Provider, filled: dict[str, Any] | None, part: str
) -> None:
    if filled is None:
        credential = CredentialFactory(workspace=api.workspace)
    else:
        more = {"authorize_url": "https://id.example", **filled}
        credential = connected(provider, workspace=api.workspace, filled=more)

    refused = error(api.get(f"/credentials/{credential.pk}/authorize"), 409, "not_connectable")

    assert part in refused["message"]
    assert not Consent.objects.exists()


def test_authorizing_wants_the_scope_to_write(api: Api, credential: Credential) -> None:
    limited = Api(api.workspace, scopes=["workflows:read"])

    error(limited.get(f"/credentials/{credential.pk}/authorize"), 403, "insufficient_scope")
