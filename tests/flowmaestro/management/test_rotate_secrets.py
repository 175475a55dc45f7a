from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from tests.factories import VariableFactory
from workflows.variables.services import environment

pytestmark = pytest.mark.django_db


def test_secrets_are_brought_under_the_present_key(settings: Settings) -> None:
    settings.SECRET_KEY = "old"
    variable = VariableFactory(name="A", value="hidden", secret=True)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]
    said = StringIO()

    call_command("rotate_secrets", stdout=said)
    settings.SECRET_KEY_FALLBACKS = []

    assert said.getvalue() == "Secrets encrypted under the present SECRET_KEY: 1\n"
    assert environment(variable.workspace_id, ["A"]).values == {"A": "hidden"}


def test_secret_of_a_lost_key_is_named_and_nothing_changed(settings: Settings) -> None:
    settings.SECRET_KEY = "lost"
    VariableFactory(name="GONE", secret=True)
    settings.SECRET_KEY = "new"

    with pytest.raises(CommandError, match=r"Nothing was changed\. These secrets cannot be decrypted: GONE"):
        call_command("rotate_secrets")
