from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import UserFactory, VariableFactory


@pytest.fixture
def operator(db: None) -> Client:
    browser = Client()
    browser.force_login(UserFactory(is_staff=True, is_superuser=True))
    return browser


def test_variable_shown_has_its_value_unless_it_is_secret(operator: Client) -> None:
    """Neither readable nor encrypted: what was encrypted can be decrypted one day."""
    plain = VariableFactory(name="REGION", value="eu-<west>")
    hidden = VariableFactory(name="TOKEN", value="tok-5f1c9e", secret=True)

    pages = {
        variable.name: operator.get(f"/admin/workflows/variable/{variable.pk}/change/").content.decode()
        for variable in (plain, hidden)
    }
    listed = operator.get("/admin/workflows/variable/").content.decode()

    assert "eu-&lt;west&gt;" in pages["REGION"]
    assert "•••" in pages["TOKEN"]
    for page in (pages["TOKEN"], listed):
        assert "tok-5f1c9e" not in page
        assert hidden.value not in page
    assert ">REGION<" in listed


@pytest.mark.parametrize("path", ["add/", "{id}/delete/"])
def test_variable_is_neither_added_nor_deleted_here(operator: Client, path: str) -> None:
    """The services know how to hide a secret, behind the API."""
    variable = VariableFactory()

    response = operator.get(f"/admin/workflows/variable/{path.format(id=variable.pk)}")

    assert response.status_code == 403


def test_variable_has_no_form(operator: Client) -> None:
    variable = VariableFactory()

    page = operator.get(f"/admin/workflows/variable/{variable.pk}/change/").content

    assert b'name="_save"' not in page
