from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from handlers import ConfigError
from handlers.ports import Credential as Lent
from tests.factories import CredentialFactory, WorkspaceFactory
from tests.handlers.fakes import RecordingLent
from workflows.credentials.lending import lend
from workflows.models import Credential

pytestmark = pytest.mark.django_db


def test_credential_is_lent_by_id_and_by_name() -> None:
    """One whose name is another's id is found by its own."""
    credential = CredentialFactory(name="Shop")
    other = CredentialFactory(workspace=credential.workspace, name=str(credential.pk), filled={"token": "other"})

    lent = [lend(credential.workspace_id, key, RecordingLent()) for key in ("Shop", f" {credential.pk} ")]

    expected = Lent(id=str(credential.pk), kind="bearer", name="Shop", values={"token": "tok-5f1c9e"})
    assert lent == [expected, expected]
    assert lend(credential.workspace_id, str(other.pk), RecordingLent()).values == {"token": "other"}


def test_secrets_are_hidden_with_the_spellings_in_which_they_travel() -> None:
    credential = CredentialFactory(kind="basic", filled={"user": "ada", "password": "pass-word"})
    borrower = RecordingLent()

    lent = lend(credential.workspace_id, credential.name, borrower)

    assert borrower.hidden == {"pass-word", "YWRhOnBhc3Mtd29yZA=="}
    assert "pass-word" not in repr(lent)


@pytest.mark.parametrize(
    "key", ["Theirs", "{id}", "Nobody's", "01900000-0000-7000-8000-00000000dead", "", "a\0b", "a\ud800b"]
)
def test_credential_of_nobody_and_of_others_are_missing_alike(key: str) -> None:
    """Nobody can tell whether another workspace has it."""
    theirs = CredentialFactory(name="Theirs")
    mine = WorkspaceFactory()
    named = key.format(id=theirs.pk)

    with pytest.raises(ConfigError) as raised:
        lend(mine.pk, named, RecordingLent())

    assert raised.value.code == "credential_missing"
    assert str(raised.value).startswith(f"There is no credential {named!r} in this workspace")


def test_credential_of_a_lost_key_says_what_to_do(settings: Settings) -> None:
    credential = CredentialFactory(name="Shop")
    settings.SECRET_KEY = "another"

    with pytest.raises(ConfigError, match=r"Shop.*SECRET_KEY has changed") as raised:
        lend(credential.workspace_id, "Shop", RecordingLent())

    assert raised.value.code == "unreadable_secret"


@pytest.mark.parametrize("kind", ["gone", "basic"])
def test_credential_that_fits_its_kind_no_more_is_told_without_its_values(kind: str) -> None:
    """The plug-in of the kind is not installed any more, or wants other fields."""
    credential = CredentialFactory(name="Shop")
    Credential.objects.update(kind=kind)

    with pytest.raises(ConfigError, match="'Shop' cannot be used as it is") as raised:
        lend(credential.workspace_id, "Shop", RecordingLent())

    assert raised.value.code == "invalid_config"
    assert "5f1c9e" not in str(raised.value)


def test_use_is_noted_once_a_minute(django_assert_num_queries: Any) -> None:
    """A loop over a thousand items is not a thousand writes."""
    credential = CredentialFactory()
    used: list[Any] = []

    with time_machine.travel(timezone.now(), tick=False) as clock:
        for seconds in (0, 30, 31):
            clock.shift(seconds)
            lend(credential.workspace_id, credential.name, RecordingLent())
            credential.refresh_from_db()
            used.append(credential.last_used_at)

    assert [moment - used[0] for moment in used] == [timedelta(), timedelta(), timedelta(seconds=61)]
    with django_assert_num_queries(1):
        lend(credential.workspace_id, credential.name, RecordingLent())
