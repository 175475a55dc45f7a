from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.utils import timezone

from tests.factories import WorkspaceFactory, WorkspaceFileFactory
from workflows.files import contents
from workflows.files.errors import FilesAway
from workflows.files.leftovers import LEAST_AGE, remove_leftovers
from workflows.files.services import read_file

pytestmark = pytest.mark.django_db


@pytest.fixture(
    params=["django.core.files.storage.InMemoryStorage", "workflows.durable_files.DurableFiles"], autouse=True
)
def storage(request: Any, settings: LazySettings, tmp_path: Any) -> None:
    backend = {"BACKEND": request.param, "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "files": backend}


def test_content_of_no_file_is_removed_once_nobody_can_be_about_to_enter_it() -> None:
    file = WorkspaceFileFactory(path="a")
    lost = contents.put(ContentFile(b"lost"), workspace_id=file.workspace_id)
    WorkspaceFactory()  # without a folder

    soon = remove_leftovers(now=timezone.now() + LEAST_AGE - timedelta(minutes=1))
    later = remove_leftovers(now=timezone.now() + LEAST_AGE + timedelta(minutes=1))

    assert (soon, later) == (0, 1)
    assert read_file(file.workspace_id, "a", max_bytes=100) == b"content"
    with pytest.raises(FilesAway):
        contents.get(lost.key)


def test_command_says_how_many_it_removed() -> None:
    said = StringIO()

    call_command("tidy_files", stdout=said)

    assert said.getvalue() == "Contents of no file that were deleted: 0\n"
