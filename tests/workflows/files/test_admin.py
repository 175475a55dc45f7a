from __future__ import annotations

import pytest
from django.test import Client

from tests.factories import UserFactory, WorkspaceFileFactory


@pytest.fixture
def operator(db: None) -> Client:
    browser = Client()
    browser.force_login(UserFactory(is_staff=True, is_superuser=True))
    return browser


def test_file_is_shown_with_where_its_content_lies(operator: Client) -> None:
    file = WorkspaceFileFactory(path="in/<b>.txt")

    listed = operator.get("/admin/workflows/workspacefile/").content.decode()
    page = operator.get(f"/admin/workflows/workspacefile/{file.pk}/change/").content.decode()

    assert "in/&lt;b&gt;.txt" in listed
    assert file.key in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize("path", ["add/", "{id}/delete/"])
def test_file_is_neither_added_nor_deleted_here(operator: Client, path: str) -> None:
    """Its content would be left behind."""
    file = WorkspaceFileFactory()

    assert operator.get(f"/admin/workflows/workspacefile/{path.format(id=file.pk)}").status_code == 403
