"""Which providers there are: our own, and those of other packages."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType

from handlers.integrations.provider import Provider, folded

ENTRY_POINT_GROUP = "flowmaestro.integrations"


class DuplicateProvider(ValueError):
    """Two providers have the same name."""


@dataclass(frozen=True, slots=True)
class Directory(Mapping[str, Provider]):
    """Providers by name; a look-up also takes aliases, and names that are joined in another way."""

    providers: Mapping[str, Provider]
    names: Mapping[str, str]  # folded name or alias → name

    def __getitem__(self, name: str) -> Provider:
        return self.providers[self.names[folded(name)]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.providers)

    def __len__(self) -> int:
        return len(self.providers)


@cache
def directory() -> Directory:
    """All providers. An entry point names a module or a `Provider`; one that cannot be imported stops the process."""
    import handlers.integrations.providers as built_in  # noqa: PLC0415 -- the modules there import this package

    modules = pkgutil.iter_modules(built_in.__path__, f"{built_in.__name__}.")
    loaded = [importlib.import_module(module.name) for module in modules]
    installed = [entry_point.load() for entry_point in entry_points(group=ENTRY_POINT_GROUP)]
    return collected(provider for each in [*loaded, *installed] for provider in _providers_of(each))


def collected(providers: Iterable[Provider]) -> Directory:
    """A directory of *providers*, by name. Raises DuplicateProvider."""
    found = {id(each): each for each in providers}  # a module may show what another one made
    names: dict[str, str] = {}
    for provider in found.values():
        for name in {folded(each) for each in (provider.name, *provider.aliases)}:
            if name in names:
                raise DuplicateProvider(f"{provider.name} and {names[name]} are both called {name!r}")
            names[name] = provider.name
    return Directory({each.name: each for each in sorted(found.values(), key=lambda each: each.name)}, names)


def _providers_of(loaded: object) -> Iterable[Provider]:
    candidates = vars(loaded).values() if isinstance(loaded, ModuleType) else [loaded]
    return [each for each in candidates if isinstance(each, Provider)]
