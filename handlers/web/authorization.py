"""What a request carries so that a service knows who asks: written into the node, or a credential of the workspace."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from handlers.errors import ConfigError
from handlers.ports import Credential, Lent
from handlers.web.fields import CONTROL_CHARACTER, HEADER_NAME

AuthType: TypeAlias = Literal["none", "basic", "bearer", "apiKey"]
Place: TypeAlias = Literal["header", "query"]
KEY_HEADER: Final = "X-API-Key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """One header, or one parameter of the query."""

    name: str
    value: str
    place: Place = "header"

    @property
    def secret(self) -> str:
        """What of the value nobody may see, as it is sent: services are known to echo it."""
        return self.value.removeprefix("Basic ").removeprefix("Bearer ")

    def __repr__(self) -> str:  # the generated one would tell the value
        return f"Authorization(name={self.name!r}, place={self.place!r})"


def written(kind: AuthType, credentials: str | None, *, key_name: str | None, place: Place) -> Authorization:
    """What *credentials*, the text of a field, are sent as. Raises ConfigError when they cannot be."""
    text = (credentials or "").strip()  # a key copied with its line end is a key
    if not text:
        raise ConfigError(f"authCredentials is empty; {kind} needs credentials.")
    if CONTROL_CHARACTER.search(text):
        raise ConfigError("authCredentials has a line break or another control character in it.")
    match kind:
        case "basic":
            return _authorization(f"Basic {b64encode(text.encode()).decode()}")
        case "bearer":
            return _authorization(f"Bearer {text}")
        case _:
            return Authorization(name=key_name or KEY_HEADER, value=text, place=place)


def of_credential(credential: Credential, *, key_name: str | None = None, place: Place = "header") -> Authorization:
    """What *credential* is sent as. *key_name* and *place* are for keys, whose own header is the default.

    Raises ConfigError for a kind that no web service takes, and for one that lacks what it is sent as.
    """
    values = credential.values
    match credential.kind:
        case "api_key":
            prefix = f"{values['header_prefix'].strip()} " if values.get("header_prefix") and place == "header" else ""
            name = key_name or values.get("header_name") or KEY_HEADER
            found = Authorization(name=name, value=prefix + _value(credential, "api_key"), place=place)
        case "bearer":
            found = _authorization(f"Bearer {_value(credential, 'token')}")
        case "oauth2":
            found = _authorization(f"Bearer {_value(credential, 'access_token')}")
        case "basic":
            pair = f"{values.get('user', '')}:{values.get('password', '')}"
            found = _authorization(f"Basic {b64encode(pair.encode()).decode()}")
        case "header":
            found = Authorization(name=values.get("header_name", ""), value=_value(credential, "value"))
        case _:
            raise ConfigError(
                f"The credential {credential.name!r} is of kind {credential.kind}, which no web service takes;"
                " choose one of kind api_key, bearer, basic, oauth2 or header."
            )
    if not HEADER_NAME.fullmatch(found.name) or CONTROL_CHARACTER.search(found.value):
        raise ConfigError(f"The credential {credential.name!r} cannot be sent: it has a character no header may have.")
    return found


def lent_authorization(
    lent: Lent, credential_id: str, *, key_name: str | None = None, place: Place = "header"
) -> Authorization:
    """Of the credential with that id, all spellings of it hidden. Raises as `of_credential` and `Lent.credential`."""
    found = of_credential(lent.credential(credential_id), key_name=key_name, place=place)
    lent.hide(found.secret)
    return found


def _authorization(value: str) -> Authorization:
    return Authorization(name="Authorization", value=value)


def _value(credential: Credential, field: str) -> str:
    value = credential.values.get(field, "").strip()
    if not value:
        raise ConfigError(f"The credential {credential.name!r} has no {field}.", code="credential_incomplete")
    return value
