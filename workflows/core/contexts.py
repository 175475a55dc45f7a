"""What a container hands to its body: the context of an iteration or branch, and what of it must be fetched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from handlers.base import ContainerKind
from workflows.core.expressions import Reference
from workflows.core.plan import Binding, Source

# The steps into a context that lead to something stored apart. The others follow from the index.
_PARTS: Final[Mapping[Source, Mapping[str, str]]] = {
    Source.LOOP: {"item": "item", "currentItem": "item", "total": "total", "last": "total", "results": "results"},
    # What other branches have brought so far depends on how fast they are, so it cannot be read.
    Source.PARALLEL: {"item": "item", "currentItem": "item", "total": "total", "last": "total"},
}
KINDS: Final = frozenset(kind.value for kind in ContainerKind)  # names of the innermost container of a kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a container calls itself and the parts of its iterations inside its body."""

    container: str
    kind: ContainerKind
    item: str | None  # another name of the item
    index: str | None

    def bind(self, name: str) -> Binding | None:
        """What *name* means there; None when it has nothing to do with this container."""
        source: Source | None = None
        if name in (self.kind.value, self.container):
            source = Source(self.kind.value)
        elif name == self.item:
            source = Source.ITEM
        elif name == self.index:
            source = Source.INDEX
        return None if source is None else Binding(source=source, nodes=(self.container,))


def needs_of(source: Source, references: Iterable[Reference]) -> tuple[str, ...]:
    """What must be fetched for *references* whose first name leads to *source*; of a whole context, all of it."""
    if source is Source.ITEM:
        return ("item",)
    parts = _PARTS.get(source, {})
    needed: set[str] = set()
    for reference in references:
        if len(reference.parts) == 1:
            needed.update(parts.values())
        elif (step := str(reference.parts[1])) in parts:
            needed.add(parts[step])
    return tuple(sorted(needed))
