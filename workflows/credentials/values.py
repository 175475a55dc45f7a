"""What is filled in of a credential: checked by its kind, parted into what may be read and what may not, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from workflows.credentials.errors import BadValues, UnknownKind
from workflows.credentials.kind import Kind, kinds
from workflows.credentials.models import Credential
from workflows.encryption import Undecryptable, decrypted, encrypted


def kind_named(name: str) -> type[Kind]:
    """Raises UnknownKind."""
    found = kinds().get(name)
    if found is None:
        raise UnknownKind(name, kinds())
    return found


def read(credential: Credential) -> Kind:
    """All that is filled in of *credential*. Raises Undecryptable, UnknownKind, BadValues."""
    return checked(credential.kind, {**credential.plain, **_read_secrets(credential)})


def write(credential: Credential, filled: Kind) -> None:
    """Put *filled* into the fields of *credential*, which is not saved."""
    secret = filled.secret_fields()
    values = filled.filled()
    secrets = {name: value for name, value in values.items() if name in secret}
    credential.plain = {name: value for name, value in values.items() if name not in secret}
    credential.secrets = encrypted(json.dumps(secrets))
    credential.secrets_set = sorted(secrets)


def merged(credential: Credential, changes: Mapping[str, Any]) -> Kind:
    """What *credential* is with these *changes*, field by field; null empties one. Raises UnknownKind, BadValues.

    Secrets that nobody can decrypt any more are as if they had not been set.
    """
    try:
        secrets = _read_secrets(credential)
    except Undecryptable:
        secrets = {}
    values = {**credential.plain, **secrets, **changes}
    return checked(credential.kind, {name: value for name, value in values.items() if value is not None})


def checked(kind: str, values: Mapping[str, Any]) -> Kind:
    """*values* as the kind understands them. Raises UnknownKind, BadValues, which names fields and tells no value."""
    fields = kind_named(kind)
    try:
        return fields.model_validate(values)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False, include_context=False)
    unknown = f"Unknown field. Known fields: {', '.join(fields.model_fields)}."
    wrong = [
        (
            ".".join(["values", *map(str, error["loc"])]),
            unknown if error["type"] == "extra_forbidden" else error["msg"].removeprefix("Value error, "),
        )
        for error in errors
    ]
    raise BadValues(wrong)  # not from the other error, which knows the values


def _read_secrets(credential: Credential) -> dict[str, Any]:
    """Raises Undecryptable."""
    secrets: dict[str, Any] = json.loads(decrypted(credential.secrets))
    return secrets
