"""What a run's nodes are lent, on the real engine."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from handlers import NodeInput, NodeOutput, RateLimited
from tests.executions.runs import begin, outputs, row
from tests.executions.scripted import Script
from tests.executions.secrets import leaks, stored
from tests.factories import CredentialFactory
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "tok-5f1c9e"


def borrows(key: str) -> Script:
    """A script that says what it was lent, and whether it holds a connection."""

    def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
        credential = lent.credential(key)
        return NodeOutput(
            data={
                "kind": credential.kind,
                "name": credential.name,
                "length": len(credential.values["token"]),
                "says": [credential.values["token"]],
                "holds": connection.connection is not None,
            }
        )

    return script


def test_credential_is_lent_to_a_node_and_its_secret_stays_inside(
    messages: Messages, scripts: dict[str, Script], way: str
) -> None:
    """A node that waits for a service holds no connection to the database, whatever it was lent before."""
    run = begin("start -> a", types={"start": "trigger", "a": way})
    CredentialFactory(workspace=run.workspace, name="Shop", filled={"token": TOKEN})
    scripts["a"] = borrows("Shop")

    messages.deliver_all()

    assert outputs(run)["a"] == {
        "kind": "bearer",
        "name": "Shop",
        "length": len(TOKEN),
        "says": ["•••"],
        "holds": way == "test.pureScript",  # that one runs within the drive's transaction
    }
    assert leaks(stored(run), TOKEN) == []


def test_limits_are_lent_to_a_node_and_hold(messages: Messages, scripts: dict[str, Script], settings: Any) -> None:
    """The site's own, whatever the node asks for."""
    settings.FLOWMAESTRO_PROVIDER_LIMITS = {"acme": {"at_once": 1}}

    def script(node: NodeInput[Any], lent: Any) -> NodeOutput:
        with (
            lent.limits.slot("acme:one", at_once=9, per_minute=None),
            lent.limits.breaker("acme:one"),
            pytest.raises(RateLimited),
            lent.limits.slot("acme:one", at_once=None, per_minute=None, patience=0.01),
        ):
            pass
        return NodeOutput(data="went through")

    scripts["a"] = script
    run = begin("start -> a", types={"start": "trigger", "a": "test.script"})

    messages.deliver_all()

    assert outputs(run)["a"] == "went through"


def test_credential_of_another_workspace_is_missing(messages: Messages, scripts: dict[str, Script]) -> None:
    theirs = CredentialFactory(name="Theirs")
    run = begin("start -> a", types={"start": "trigger", "a": "test.script"})
    scripts["a"] = borrows(str(theirs.pk))

    messages.deliver_all()

    error = row(run, "a").error
    assert error["code"] == "credential_missing"
    assert "Theirs" not in error["message"]
