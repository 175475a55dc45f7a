"""The providers by name. A module of `handlers.llm.dialects` registers its own; a plug-in may register more."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from handlers.errors import ConfigError
from handlers.llm.dialect import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One row of the table: who is asked where, in which dialect, with whose key."""

    name: str
    dialect: Dialect
    base_url: str | None  # None: there is no usual one, it has to be told
    key_variables: tuple[str, ...]  # of the worker's environment, the first that is set counts
    url_variables: tuple[str, ...]
    url_suffix: str = ""  # what the address in a variable or a connection still lacks
    needs_key: bool = True
    slashes: bool = False  # names of its models have slashes: `a/b` is a model of this provider, and not b of a


_providers: dict[str, Provider] = {}


def register(*providers: Provider) -> None:
    """Enter providers into the table; one of the same name is replaced."""
    _providers.update({provider.name: provider for provider in providers})


def known() -> Mapping[str, Provider]:
    """All providers, in the order of their names."""
    _load()
    return MappingProxyType(dict(sorted(_providers.items())))


def provider_named(name: str) -> Provider:
    """Raises ConfigError with the names there are."""
    found = known().get(name)
    if found is None:
        raise ConfigError(f"The provider {name!r} is not supported; there is {', '.join(known())}.")
    return found


@cache
def _load() -> None:
    import handlers.llm.dialects as package  # noqa: PLC0415 -- its modules import this one

    already = dict(_providers)  # a plug-in that came first keeps its word
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    _providers.update(already)
