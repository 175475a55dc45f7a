from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from tests.factories import CredentialFactory, VariableFactory
from workflows.credentials.values import read
from workflows.models import Credential, Variable
from workflows.variables.services import environment

pytestmark = pytest.mark.django_db


def test_secrets_are_brought_under_the_present_key(settings: Settings) -> None:
    settings.SECRET_KEY = "old"
    variable = VariableFactory(name="A", value="hidden", secret=True)
    credential = CredentialFactory(workspace=variable.workspace, filled={"token": "tok-5f1c9e"})
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]
    said = StringIO()

    call_command("rotate_secrets", stdout=said)
    settings.SECRET_KEY_FALLBACKS = []

    assert said.getvalue() == "Secrets encrypted under the present SECRET_KEY: 2\n"
    assert environment(variable.workspace_id, ["A"]).values == {"A": "hidden"}
    credential.refresh_from_db()
    assert read(credential).texts() == {"token": "tok-5f1c9e"}


@pytest.mark.parametrize("lost", ["GONE", "Gone shop"])
def test_secrets_of_a_lost_key_are_named_and_nothing_is_changed(settings: Settings, lost: str) -> None:
    """All or none: a variable that cannot be read keeps the credentials as they are, and the other way round."""
    settings.SECRET_KEY = "lost"
    VariableFactory(name="GONE", secret=True) if lost == "GONE" else CredentialFactory(name="Gone shop")
    settings.SECRET_KEY = "old"
    VariableFactory(name="A", secret=True)
    CredentialFactory()
    before = stored()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]

    with pytest.raises(CommandError, match=rf"Nothing was changed\. These secrets cannot be decrypted: {lost} \("):
        call_command("rotate_secrets")

    assert stored() == before


def stored() -> set[str]:
    return {*Variable.objects.values_list("value", flat=True), *Credential.objects.values_list("secrets", flat=True)}
