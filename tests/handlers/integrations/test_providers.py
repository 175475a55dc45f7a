"""What holds for every operation of every provider, those of other packages included."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator

from handlers.integrations import Listing, Operation, directory

OPERATIONS = [operation for provider in directory().values() for operation in provider.operations.values()]
named = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: f"{each.provider.name}-{each.name}")
# What names and types tell without a word.
PLAIN = re.compile(r"[A-Za-z ]{2,}")


@named
def test_operation_has_a_manual(operation: Operation) -> None:
    """A sentence of its own: the catalogue is what authors read."""
    assert operation.doc.endswith(".")
    assert operation.parameters.__doc__
    assert operation.title


@named
def test_operation_has_parameters_that_a_form_can_be_drawn_of(operation: Operation) -> None:
    """Their schema is JSON Schema, under the names that definitions have."""
    schema = operation.to_json()["parameters_schema"]

    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    assert all(re.fullmatch(r"[a-z][A-Za-z0-9]*", name) for name in schema["properties"])  # type: ignore[index,call-overload]  # an object
    assert all("description" in each or PLAIN.fullmatch(each["title"]) for each in schema["properties"].values())  # type: ignore[index,call-overload,union-attr]  # likewise


@named
def test_operation_has_a_parameter_for_every_part_of_its_path(operation: Operation) -> None:
    parts = set(re.findall(r"{(\w+)\+?}", operation.path))

    assert parts <= operation.parameters.model_fields.keys()
    assert operation.path.startswith("/")
    assert operation.method in {"GET", "POST", "PUT", "PATCH", "DELETE"}


@named
def test_operation_that_lists_has_pages_and_no_other(operation: Operation) -> None:
    """A limit that nobody counts would be a promise broken."""
    assert (operation.paging is not None) is issubclass(operation.parameters, Listing)


@pytest.mark.parametrize("name", directory())
def test_provider_says_which_credential_it_takes(name: str) -> None:
    """Whoever draws the node has to make one."""
    assert "credential" in str(directory()[name].to_json()["description"])
