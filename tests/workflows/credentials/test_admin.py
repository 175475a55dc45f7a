from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from tests.factories import CredentialFactory, UserFactory
from tests.handlers.servers import Reply, http_server
from workflows.credentials.values import read
from workflows.models import Credential

BANK: dict[str, Any] = {"user": "ada", "password": "pass-5f1c9e", "base_url": "https://bank.example"}


@pytest.fixture
def operator(db: None) -> Client:
    browser = Client()
    browser.force_login(UserFactory(is_staff=True, is_superuser=True))
    return browser


@pytest.fixture
def bank(db: None) -> Credential:
    return CredentialFactory(name="Bank", kind="basic", filled=BANK)


def address(credential: Credential) -> str:
    return f"/admin/workflows/credential/{credential.pk}/change/"


def test_credential_shown_has_its_plain_values_and_says_which_secrets_are_set(
    operator: Client, bank: Credential
) -> None:
    """Neither readable nor encrypted: what was encrypted can be decrypted one day."""
    page = operator.get(address(bank)).content.decode()
    listed = operator.get("/admin/workflows/credential/").content.decode()

    assert 'value="ada"' in page
    assert "It is set: leave it empty to keep it." in page
    for html in (page, listed):
        assert "5f1c9e" not in html
        assert bank.secrets not in html


def test_secret_left_empty_stays_and_a_plain_field_emptied_is_gone(operator: Client, bank: Credential) -> None:
    response = operator.post(address(bank), {"user": "eve", "password": "", "base_url": "", "test_url": ""})

    assert response.status_code == 302
    bank.refresh_from_db()
    assert read(bank).texts() == {"user": "eve", "password": "pass-5f1c9e"}


def test_secret_typed_in_is_kept_and_shown_nowhere(operator: Client, bank: Credential) -> None:
    """Nor in what the admin writes down of the change."""
    page = operator.post(address(bank), {**BANK, "password": "new-5f1c9e"}, follow=True).content.decode()

    bank.refresh_from_db()
    assert read(bank).texts() == {**BANK, "password": "new-5f1c9e"}
    [entry] = LogEntry.objects.all()
    assert "5f1c9e" not in f"{page} {entry.change_message} {entry.object_repr}"


def test_values_that_cannot_be_are_refused_by_their_field_and_not_shown(operator: Client, bank: Credential) -> None:
    page = operator.post(address(bank), {**BANK, "user": "a:b", "password": "•5f1c9e"}).content.decode()

    assert "no colon in it" in page
    assert "contains no •" in page
    assert "5f1c9e" not in page
    bank.refresh_from_db()
    assert read(bank).texts() == BANK


def test_test_tells_what_came_of_it(operator: Client, bank: Credential) -> None:
    """Of each that was chosen; of one that has nothing to be tried out on, what is missing."""
    untestable = CredentialFactory(workspace=bank.workspace, name="Shop")
    with http_server(Reply(status=403)) as server:
        refused = CredentialFactory(
            workspace=bank.workspace, name="Mine", filled={"token": "tok-1", "base_url": server.url}
        )
        chosen = {"action": "test", "_selected_action": [untestable.pk, refused.pk]}
        page = operator.post("/admin/workflows/credential/", chosen, follow=True).content.decode()

    assert "Mine: GET" in page
    assert "answered 403 Forbidden." in page
    assert "Shop: Set test_url" in page


def test_credential_of_a_kind_that_is_not_installed_is_looked_at_only(operator: Client, bank: Credential) -> None:
    Credential.objects.update(kind="gone")

    page = operator.get(address(bank)).content.decode()

    assert "gone" in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize("path", ["add/", "{id}/delete/"])
def test_credential_is_neither_added_nor_deleted_here(operator: Client, bank: Credential, path: str) -> None:
    response = operator.get(f"/admin/workflows/credential/{path.format(id=bank.pk)}")

    assert response.status_code == 403
