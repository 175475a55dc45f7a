from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from tests.factories import CredentialFactory, VariableFactory
from workflows.credentials.values import read
from workflows.encryption import UnreadableSecrets
from workflows.models import Credential, Variable
from workflows.stored_secrets import examine_secrets, rotate_secrets
from workflows.variables.services import environment

pytestmark = pytest.mark.django_db


def stored() -> set[str]:
    return {*Variable.objects.values_list("value", flat=True), *Credential.objects.values_list("secrets", flat=True)}


def test_secrets_rotated_need_the_fallbacks_no_more(settings: Settings) -> None:
    settings.SECRET_KEY = "old"
    variable = VariableFactory(name="A", value="hidden", secret=True)
    VariableFactory(workspace=variable.workspace, name="B", value="plain")
    credential = CredentialFactory(filled={"token": "tok-5f1c9e"})
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]

    count = rotate_secrets()
    settings.SECRET_KEY_FALLBACKS = []

    assert (count, examine_secrets()) == (2, 2)
    assert environment(variable.workspace_id, ["A", "B"]).values == {"A": "hidden", "B": "plain"}
    credential.refresh_from_db()
    assert read(credential).texts() == {"token": "tok-5f1c9e"}


@pytest.mark.parametrize("lost", ["GONE", "Gone shop"])
def test_secret_that_cannot_be_read_keeps_all_as_they_are(settings: Settings, lost: str) -> None:
    """All or none: a variable of a lost key keeps the credentials as they are, and the other way round."""
    settings.SECRET_KEY = "lost"
    VariableFactory(name="GONE", secret=True) if lost == "GONE" else CredentialFactory(name="Gone shop")
    settings.SECRET_KEY = "old"
    VariableFactory(name="A", secret=True)
    CredentialFactory()
    before = stored()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]

    for look in (examine_secrets, rotate_secrets):
        with pytest.raises(UnreadableSecrets, match=rf"^cannot be decrypted: {lost} \(of workspace"):
            look()

    assert stored() == before


def test_nothing_stored_is_nothing_to_rotate() -> None:
    assert (rotate_secrets(), examine_secrets()) == (0, 0)
