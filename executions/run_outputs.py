"""The outputs of a run: in its row while they are small, otherwise put together by who reads them.

They are never too large for the run to end: above the limit of a single output, who reads them is told their size, and
has each of them from its node.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from django.conf import settings

from executions import hotpath
from executions.core import CloseRun, OutputsTooLarge, Parts, collect, load_parts
from executions.core.scopes import TOP
from executions.models import Execution
from executions.outputs import is_inline, size
from handlers import JSONObject
from workflows.fields import dumps


def closing(execution_id: UUID, command: CloseRun, *, in_hand: Mapping[hotpath.Visit, str]) -> str | Parts:
    """What the row of a run that ends says of its outputs. *in_hand*: texts of nodes that need not be read.

    Reads and writes no blob: the end of a run, and a cancel, wait for no storage but the database.
    """
    nodes = command.outputs_of
    known = {node: in_hand[TOP, node] for node in nodes if (TOP, node) in in_hand}
    missing = [node for node in nodes if node not in known]
    sizes = {node: (len(text), size(text)) for node, text in known.items()}
    if missing:
        sizes |= hotpath.output_sizes(execution_id, TOP, missing)
    parts = Parts(
        nodes=nodes,
        named=command.named,
        characters=sum(characters for characters, _ in sizes.values()),
        bytes=sum(taken for _, taken in sizes.values()),
    )
    if parts.bytes > settings.FLOWMAESTRO_MAX_INLINE_BYTES:
        return parts
    together = dumps(_collected(nodes, known | _texts(execution_id, missing), named=command.named))
    # Many small outputs may be large by the names they are given.
    return together if is_inline(together) else replace(parts, characters=len(together), bytes=size(together))


def read(execution: Execution) -> JSONObject | None:
    """The outputs of a run, all of them; None when it has none. Raises OutputsTooLarge, BlobError."""
    if execution.outputs_ref is None:
        outputs: JSONObject | None = execution.outputs
        return outputs
    parts = load_parts(execution.outputs_ref)
    limit: int = settings.FLOWMAESTRO_MAX_OUTPUT_BYTES
    if parts.bytes > limit:
        raise OutputsTooLarge(size=parts.bytes, limit=limit)
    return _collected(parts.nodes, _texts(execution.pk, parts.nodes), named=parts.named)


def omitted(execution: Execution, *, whole: bool) -> int | None:
    """How many characters of outputs are left out of an answer about the run. *whole*: it gives what it may give."""
    if execution.outputs_ref is None:
        return None
    parts = load_parts(execution.outputs_ref)
    return None if whole and parts.bytes <= settings.FLOWMAESTRO_MAX_OUTPUT_BYTES else parts.characters


def _collected(nodes: Sequence[str], texts: Mapping[str, str], *, named: bool) -> JSONObject:
    return collect(nodes, {node: json.loads(texts[node]) for node in nodes}, named=named)


def _texts(execution_id: UUID, nodes: Sequence[str]) -> dict[str, str]:
    if not nodes:
        return {}
    found = hotpath.outputs(execution_id, [(TOP, node) for node in nodes])
    return {node: text for (_, node), text in found.items()}
