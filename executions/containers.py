"""Containers as the shell runs them: what is stored when one opens, what its body sees of it, what it returns."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from django.conf import settings

from executions import hotpath
from executions.changes import Changes
from executions.core.scopes import inside
from executions.outputs import fitting, size
from executions.plans import Prepared
from handlers import HandlerError, JSONValue
from workflows.core.plan import ContainerKind
from workflows.fields import dumps

_CHUNK_ITEMS: Final = 100
_CHUNK_WIDTH: Final = 65_536  # characters; a chunk ends with the item that reaches them
_AT_ONCE: Final = 1_000  # scopes asked for in one query


def chunks(node_id: str, scope: str, items: list[JSONValue], total: int | None) -> Iterator[hotpath.Chunk]:
    """The items of a container that opens, in rows; one without items still says how many times it runs."""
    first, texts, width = 0, list[str](), 0
    for index, item in enumerate(items):
        text = dumps(item)
        texts.append(text)
        width += len(text)
        if len(texts) == _CHUNK_ITEMS or width >= _CHUNK_WIDTH:
            yield _chunk(node_id, scope, first, total, texts)
            first, texts, width = index + 1, [], 0
    if texts or not items:
        yield _chunk(node_id, scope, first, total, texts)


def item_at(execution_id: UUID, scope: str, node_id: str, index: int) -> tuple[JSONValue, int | None]:
    """Item *index* of an open container, None where it has no items, and how many times it runs."""
    first, total, items = hotpath.items(execution_id, node_id, scope, index)
    place = index - first
    return (items[place] if place < len(items) else None), total


def gather(
    execution_id: UUID, prepared: Prepared, scope: str, container: str, count: int, changes: Changes
) -> list[str]:
    """What the first *count* iterations or branches of a container came to: a JSON text for each.

    An object by node id, of the body's own nodes that have an output; `{"error": …}` where a failure ended it.
    *changes* has what is not in the rows yet. Raises HandlerError where it is more than an output may be.
    """
    nodes = [node.id for node in prepared.graph.bodies[container].nodes]
    scopes = [inside(scope, container, index) for index in range(count)]
    is_stored = (scope, container) not in changes.born  # opened in this very step, it has no rows at all
    return assemble(nodes, scopes, _rows(execution_id, nodes, scopes, changes, is_stored=is_stored))


def assemble(
    nodes: Sequence[str], scopes: Sequence[str], rows: Iterable[tuple[str, str, str | None, str | None]]
) -> list[str]:
    """A JSON text for each of *scopes*, of what *nodes* came to in them: (scope, node, output, unhandled error) each.

    Of several that failed, the first of *nodes* counts, whichever was faster. Raises HandlerError where it is more than
    an output may be.
    """
    outputs: defaultdict[str, dict[str, str]] = defaultdict(dict)
    errors: defaultdict[str, dict[str, str]] = defaultdict(dict)
    taken = 0  # bytes
    for at, node_id, output, error in rows:
        if error is not None:
            errors[at][node_id] = error
        if output is not None:
            outputs[at][node_id] = output
            taken += size(output)
            if taken > settings.FLOWMAESTRO_MAX_OUTPUT_BYTES:
                raise HandlerError(
                    f"the results are larger than an output may be: {settings.FLOWMAESTRO_MAX_OUTPUT_BYTES:,} bytes",
                    code="output_too_large",
                )
    return [
        f'{{"error":{next(errors[at][node] for node in nodes if node in errors[at])}}}'
        if at in errors
        else f"{{{','.join(f'{json.dumps(node)}:{outputs[at][node]}' for node in nodes if node in outputs[at])}}}"
        for at in scopes
    ]


def output(kind: ContainerKind, results: list[str]) -> str:
    """JSON text of what a container returns. Raises HandlerError where it is more than an output may be."""
    told = f'"results":[{",".join(results)}]'
    if kind is ContainerKind.LOOP:
        return fitting(f'{{"iterations":{len(results)},"completed":true,{told}}}')
    return fitting(f'{{"branches":{len(results)},{told}}}')


def _rows(
    execution_id: UUID, nodes: list[str], scopes: list[str], changes: Changes, *, is_stored: bool
) -> Iterator[tuple[str, str, str | None, str | None]]:
    if is_stored:
        for first in range(0, len(scopes), _AT_ONCE):
            yield from hotpath.results(execution_id, nodes, scopes[first : first + _AT_ONCE])
    wanted, body = set(scopes), set(nodes)
    for (scope, node_id), (text, error) in changes.fresh.items():
        if scope in wanted and node_id in body:
            yield scope, node_id, text, error


def _chunk(node_id: str, scope: str, first: int, total: int | None, texts: list[str]) -> hotpath.Chunk:
    return hotpath.Chunk(node_id=node_id, scope=scope, first=first, total=total, items=f"[{','.join(texts)}]")
