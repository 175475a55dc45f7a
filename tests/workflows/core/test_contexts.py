"""What a container hands to its body."""

from __future__ import annotations

import pytest

from handlers import ContainerKind
from workflows.core import parse
from workflows.core.contexts import KINDS, Context, needs_of
from workflows.core.plan import Source

ALL = ("item", "results", "total")


def test_kinds_are_the_names_of_their_sources() -> None:
    """So that one word does in the drawing, the plan and the expression."""
    assert {Source(kind) for kind in KINDS} == {Source.LOOP, Source.PARALLEL}


def test_context_binds_its_own_names_only() -> None:
    """The kind, the id, and the names that its configuration gives."""
    context = Context(container="p", kind=ContainerKind.PARALLEL, item="cell", index=None)

    found = {name: context.bind(name) for name in ("parallel", "p", "cell", "loop", "index", "item")}

    assert {name: binding.source for name, binding in found.items() if binding is not None} == {
        "parallel": Source.PARALLEL,
        "p": Source.PARALLEL,
        "cell": Source.ITEM,
    }
    assert {binding.nodes for binding in found.values() if binding is not None} == {("p",)}


@pytest.mark.parametrize(
    ("source", "text", "needs"),
    [
        (Source.LOOP, "loop.index + loop.iteration", ()),  # follow from the scope
        (Source.LOOP, "loop.first", ()),
        (Source.LOOP, "loop.item.a.b", ("item",)),
        (Source.LOOP, "loop.last ? loop.item : 0", ("item", "total")),
        (Source.LOOP, "loop.total", ("total",)),
        (Source.LOOP, "loop.results[0].a", ("results",)),
        (Source.LOOP, "loop['item']", ("item",)),  # however it is written
        (Source.LOOP, "loop", ALL),  # the whole of it
        (Source.LOOP, "loop[inputs.which]", ALL),  # nobody knows which before the run
        (Source.LOOP, "loop.nothing", ()),
        (Source.PARALLEL, "parallel.branchId + parallel.index", ()),
        (Source.PARALLEL, "parallel.currentItem.x", ("item",)),
        (Source.PARALLEL, "parallel.results", ()),  # there is no such thing while branches run
        (Source.PARALLEL, "parallel", ("item", "total")),
        (Source.ITEM, "row.item", ("item",)),
        (Source.INDEX, "at", ()),
        (Source.NODE, "n.item", ()),
    ],
)
def test_needs_of_references_are_what_has_to_be_fetched(source: Source, text: str, needs: tuple[str, ...]) -> None:
    """A node run loads what it reads and nothing else."""
    root = text.partition(".")[0].partition("[")[0]
    references = [reference for reference in parse(text).references if reference.root == root]

    assert needs_of(source, references) == needs
