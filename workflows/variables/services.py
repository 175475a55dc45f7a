"""What is done with variables: set, change, remove, read for a run. One verb, one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from workflows.constraints import meaning
from workflows.core.masking import find_fault
from workflows.encryption import Undecryptable, UnreadableSecrets, decrypted, encrypted
from workflows.variables.errors import BadSecret, NameTaken, WouldReveal
from workflows.variables.models import Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a run reads of its workspace's variables."""

    values: Mapping[str, str]  # those that there are of the names asked for
    secrets: frozenset[str]  # values of the secret ones, which nothing that is stored may show


def environment(workspace_id: UUID, names: Collection[str]) -> Environment:
    """The variables called *names*, in one query. Raises UnreadableSecrets."""
    rows = Variable.objects.of(workspace_id).filter(name__in=names).values_list("name", "value", "secret")
    values: dict[str, str] = {}
    secrets: set[str] = set()
    unreadable: list[str] = []
    for name, value, is_secret in rows:
        try:
            values[name] = decrypted(value) if is_secret else value
        except Undecryptable:
            unreadable.append(name)
            continue
        if is_secret:
            secrets.add(values[name])
    if unreadable:
        raise UnreadableSecrets(unreadable)
    return Environment(values=values, secrets=frozenset(secrets))


def create_variable(workspace_id: UUID, *, name: str, value: str, secret: bool = False) -> Variable:
    """A new variable. Raises NameTaken, BadSecret."""
    stored = _encrypted(value) if secret else value
    with _named_once(name):
        return Variable.objects.create(workspace_id=workspace_id, name=name, value=stored, secret=secret)


def update_variable(variable_id: UUID, *, changes: Mapping[str, Any]) -> Variable:
    """The variable with *changes*: any of name, value and secret. Runs read them as they go on.

    Raises NameTaken, BadSecret, WouldReveal, Variable.DoesNotExist.
    """
    with transaction.atomic():
        variable: Variable = Variable.objects.select_for_update().get(pk=variable_id)
        was_secret = variable.secret
        variable.name = changes.get("name", variable.name)
        variable.secret = changes.get("secret", was_secret)
        if was_secret and not variable.secret and "value" not in changes:
            raise WouldReveal
        if "value" in changes or variable.secret != was_secret:
            value = changes.get("value", variable.value)
            variable.value = _encrypted(value) if variable.secret else value
        with _named_once(variable.name):
            variable.save(update_fields=["name", "value", "secret", "updated_at"])
    return variable


def delete_variable(variable_id: UUID) -> None:
    """Remove a variable; a node that reads it from now on fails and names it. Raises Variable.DoesNotExist."""
    if not Variable.objects.filter(pk=variable_id).delete()[0]:
        raise Variable.DoesNotExist


def _encrypted(value: str) -> str:
    if fault := find_fault(value):
        raise BadSecret(f"{fault} Choose another, or make the variable plain.")
    return encrypted(value)


def _named_once(name: str) -> AbstractContextManager[None]:
    return meaning("variable_once", NameTaken(name))
