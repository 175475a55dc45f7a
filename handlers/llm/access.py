"""Which address and which key a node's call goes out with.

The worker's own key goes to the addresses that the worker's environment or we name, and nowhere else: an author who
could send it to an address of theirs would have it.
"""

from __future__ import annotations

import os
import re
from typing import Final

import httpx2

from handlers.errors import ConfigError
from handlers.llm.dialect import Access
from handlers.llm.providers import Provider
from handlers.ports import Lent

_KEY: Final = re.compile(r"[\x21-\x7e]*")  # what a header can carry
_KEY_VALUES: Final = ("api_key", "token", "access_token")


def find_access(
    provider: Provider, lent: Lent, *, connection_id: str | None, api_key: str | None, base_url: str | None
) -> Access:
    """The first of a connection, the node's own key and the worker's environment that has a key.

    Raises ConfigError with code `missing_credentials` that says what to set, `credential_missing` for a connection that
    is not there.
    """
    key, url, source = "", base_url, ""
    if connection_id and base_url:
        # Who may use a connection may not read it, and could have its key sent to an address of theirs.
        raise ConfigError("baseUrl: a connection brings its own base_url; leave one of the two out.")
    if connection_id:
        credential = lent.credential(connection_id)
        key = next((credential.values[name] for name in _KEY_VALUES if credential.values.get(name)), "").strip()
        url = credential.values.get("base_url") or None
        source = f"of the connection {credential.name!r}"
        if not key and provider.needs_key:
            raise _missing(provider, f"The connection {credential.name!r} has no api_key.")
    elif api_key is not None:
        key, source = api_key.strip(), "in apiKey"
        if not key and provider.needs_key:
            raise _missing(provider, "apiKey is empty.")
    elif url is None:
        variable = next((name for name in provider.key_variables if os.environ.get(name)), "")
        key, source = os.environ.get(variable, "").strip(), f"in {variable}"
    if not key and provider.needs_key:
        why = "With a baseUrl of its own the node needs a key of its own." if url else ""
        raise _missing(provider, why)
    if not _KEY.fullmatch(key):
        raise ConfigError(f"The key {source} has a space, a line break or a letter in it that no key has.")
    access = _placed(provider, url, key=key, source=source)
    if access.secret:
        lent.hide(access.secret)
    return access


def _placed(provider: Provider, url: str | None, *, key: str, source: str) -> Access:
    told = url or next((os.environ[name] for name in provider.url_variables if os.environ.get(name)), None)
    base_url = (told or provider.base_url or "").rstrip("/")
    if not base_url:
        raise ConfigError(
            f"provider: {provider.name} has no address of its own: name one in baseUrl, in the connection's base_url,"
            f" or in {provider.url_variables[0]} in the environment of the workers.",
            code="missing_base_url",
        )
    if told and provider.url_suffix and not base_url.endswith(provider.url_suffix):
        base_url += provider.url_suffix
    try:
        parsed = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise ConfigError(f"The base URL of {provider.name} is no URL: {error}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ConfigError(f"The base URL of {provider.name} begins with http:// or https:// and a host.")
    return Access(
        provider=provider.name,
        base_url=base_url,
        key=key,
        source=source,
        is_usual=base_url == (provider.base_url or "").rstrip("/"),
    )


def _missing(provider: Provider, why: str) -> ConfigError:
    if not provider.key_variables:
        fix = "choose a connection (connectionId) or set apiKey"
    else:
        fix = (
            "choose a connection (connectionId), set apiKey, or"
            f" set {' or '.join(provider.key_variables)} in the environment of the workers"
        )
    place = f" (and {provider.url_variables[0]} for another address than the usual)" if provider.url_variables else ""
    return ConfigError(f"{why} There is no key for {provider.name}: {fix}{place}.".lstrip(), code="missing_credentials")
