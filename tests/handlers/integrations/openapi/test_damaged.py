from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.integrations.openapi import BadDocument, build, describe, write

SHOP = json.loads(Path(__file__).with_name("shop.json").read_text(encoding="utf-8"))


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in the document something stands."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*above, key)
        yield from places(value[key], (*above, key))


ODD = st.sampled_from(
    [None, True, 0, 1.5, "", "x", "{id}", "class", "model_config", [], {}, [1], ["a"], {"a": 1}, {"type": ["null"]}]
)
NAMES = st.sampled_from(
    ["x y", "model_x", "json", "self", "__init__", "Field", "$ref", "type", "in", "save_as", "file"]
)


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A document of which some places hold something else, or are called something else."""
    document = copy.deepcopy(SHOP)
    for place in draw(st.lists(st.sampled_from(list(places(SHOP))), min_size=1, max_size=3)):
        holder = document
        for key in place[:-1]:
            known = isinstance(holder, dict) or (
                isinstance(holder, list) and isinstance(key, int) and key < len(holder)
            )
            holder = holder[key] if known and (isinstance(holder, list) or key in holder) else None
        if isinstance(holder, dict) and place[-1] in holder and draw(st.booleans()):
            holder[draw(NAMES)] = holder.pop(place[-1])
        elif isinstance(holder, dict):
            holder[place[-1]] = draw(ODD)
    return document


@settings(max_examples=150, deadline=None)
@given(document=damaged())
def test_document_that_is_damaged_is_refused_or_carried_over_as_far_as_it_goes(document: Any) -> None:
    """Documents are written by hand: what is wrong in one of them is told, or left out, and breaks nothing else."""
    try:
        service = describe(document)
    except BadDocument:
        return

    provider = build(service)

    assert list(provider.operations) == [operation.name for operation in service.operations]
    compile(write(service), "written.py", "exec")
