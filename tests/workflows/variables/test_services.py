from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from pytest_django.fixtures import Settings

from tests.factories import VariableFactory, WorkspaceFactory
from workflows.encryption import UnreadableSecrets, decrypted
from workflows.ids import uuid7
from workflows.models import Variable, Workspace
from workflows.variables.errors import BadSecret, NameTaken, WouldReveal
from workflows.variables.services import (
    Environment,
    create_variable,
    delete_variable,
    environment,
    update_variable,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return WorkspaceFactory()


class TestCreate:
    def test_secret_is_encrypted_in_its_row_and_a_plain_value_is_not(self, workspace: Workspace) -> None:
        create_variable(workspace.pk, name="REGION", value="eu")
        create_variable(workspace.pk, name="TOKEN", value=" tok-5f1c9e\n", secret=True)

        stored = dict(Variable.objects.values_list("name", "value"))

        assert stored["REGION"] == "eu"
        assert "tok" not in stored["TOKEN"]
        assert decrypted(stored["TOKEN"]) == " tok-5f1c9e\n"  # to the letter: a certificate ends with a line break

    @pytest.mark.parametrize("value", ["", "abc", "  abc \n", "    ", "a••••b"])
    def test_secret_that_could_not_be_hidden_is_refused(self, workspace: Workspace, value: str) -> None:
        """As a plain variable the same value is good."""
        with pytest.raises(BadSecret, match=r"at least 4 characters|contains no •"):
            create_variable(workspace.pk, name="A", value=value, secret=True)

        create_variable(workspace.pk, name="A", value=value)

        assert environment(workspace.pk, ["A"]).values == {"A": value}

    def test_name_is_taken_once_in_a_workspace_and_free_in_others(self, workspace: Workspace) -> None:
        create_variable(workspace.pk, name="A", value="1")
        create_variable(workspace.pk, name="a", value="2")
        create_variable(WorkspaceFactory().pk, name="A", value="3")

        with pytest.raises(NameTaken, match="has a variable 'A' already"):
            create_variable(workspace.pk, name="A", value="4")

        assert environment(workspace.pk, ["A", "a"]).values == {"A": "1", "a": "2"}

    @pytest.mark.parametrize("name", ["1A", "A-B", "", "Ä", "A B", "A\n"])
    def test_name_that_no_reference_can_say_is_refused_by_the_database(self, workspace: Workspace, name: str) -> None:
        """Whoever writes it."""
        with pytest.raises(IntegrityError, match="variable_name"), transaction.atomic():
            create_variable(workspace.pk, name=name, value="1")


class TestUpdate:
    @pytest.mark.parametrize(
        ("before", "changes", "after"),
        [
            (("plain", False), {"value": "other"}, ("other", False)),
            (("plain", False), {"secret": True}, ("plain", True)),
            (("plain", False), {"secret": True, "value": "other"}, ("other", True)),
            (("hidden", True), {"value": "other"}, ("other", True)),
            (("hidden", True), {"secret": False, "value": "other"}, ("other", False)),
            (("hidden", True), {"secret": True}, ("hidden", True)),
            (("hidden", True), {"name": "B"}, ("hidden", True)),
            (("hidden", True), {}, ("hidden", True)),
        ],
    )
    def test_variable_is_what_it_was_but_for_its_changes(
        self, before: tuple[str, bool], changes: dict[str, Any], after: tuple[str, bool]
    ) -> None:
        value, is_secret = before
        variable = VariableFactory(name="A", value=value, secret=is_secret)

        update_variable(variable.pk, changes=changes)

        variable.refresh_from_db()
        name = changes.get("name", "A")
        read = environment(variable.workspace_id, [name])
        assert (variable.name, variable.secret) == (name, after[1])
        assert read == Environment(values={name: after[0]}, secrets=frozenset([after[0]] if after[1] else []))
        assert (variable.value == after[0]) is not after[1]  # a secret's row never shows it

    @pytest.mark.parametrize(
        ("before", "changes", "refusal"),
        [
            (("hidden", True), {"secret": False}, WouldReveal),
            (("hidden", True), {"value": "abc"}, BadSecret),
            (("abc", False), {"secret": True}, BadSecret),
            (("plain", False), {"name": "TAKEN"}, NameTaken),
        ],
    )
    def test_change_refused_leaves_the_variable_as_it_was(
        self, before: tuple[str, bool], changes: dict[str, Any], refusal: type[Exception]
    ) -> None:
        value, is_secret = before
        variable = VariableFactory(name="A", value=value, secret=is_secret)
        VariableFactory(workspace=variable.workspace, name="TAKEN")

        with pytest.raises(refusal):
            update_variable(variable.pk, changes=changes)

        unchanged = Variable.objects.get(pk=variable.pk)
        assert (unchanged.name, unchanged.value, unchanged.secret) == ("A", variable.value, is_secret)

    def test_variable_that_is_gone_is_neither_changed_nor_deleted(self) -> None:
        with pytest.raises(Variable.DoesNotExist):
            update_variable(uuid7(), changes={"value": "x"})
        with pytest.raises(Variable.DoesNotExist):
            delete_variable(uuid7())


def test_variable_deleted_is_read_no_more() -> None:
    variable = VariableFactory(name="A")

    delete_variable(variable.pk)

    assert environment(variable.workspace_id, ["A"]).values == {}


class TestEnvironment:
    def test_names_asked_for_are_read_in_one_query(self, workspace: Workspace, django_assert_num_queries: Any) -> None:
        """And no others, and nobody else's."""
        for name in ("A", "B", "C"):
            VariableFactory(workspace=workspace, name=name, value=f"value of {name}", secret=name != "A")
        VariableFactory(name="D", value="theirs")

        with django_assert_num_queries(1):
            read = environment(workspace.pk, {"A", "B", "D", "MISSING"})

        assert read == Environment(values={"A": "value of A", "B": "value of B"}, secrets=frozenset({"value of B"}))

    def test_secret_of_a_lost_key_is_named_with_what_to_do(self, workspace: Workspace, settings: Settings) -> None:
        VariableFactory(workspace=workspace, name="B", secret=True)
        VariableFactory(workspace=workspace, name="A", secret=True)
        settings.SECRET_KEY = "another"

        with pytest.raises(UnreadableSecrets) as raised:
            environment(workspace.pk, ["A", "B"])

        assert str(raised.value) == (
            "cannot be decrypted: A, B. SECRET_KEY has changed: put the earlier one into SECRET_KEY_FALLBACKS,"
            " or set these secrets again"
        )
