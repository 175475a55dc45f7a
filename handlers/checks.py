"""What is wrong with values as drawn, before a run has filled in what they refer to."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import BaseModel, ValidationError


def find_faults(
    model: type[BaseModel], drawn: Mapping[str, object], *, literal: Collection[str] = ()
) -> list[tuple[str, str]]:
    """What *model* refuses of *drawn*: pairs of field and sentence.

    A value that holds a `{{…}}` is not judged, as it is known only when the node runs, unless its field is *literal*.
    """
    try:
        model.model_validate(drawn)
    except ValidationError as invalid:
        return [
            (".".join(str(part) for part in error["loc"]) or "config", error["msg"].removeprefix("Value error, "))
            for error in invalid.errors(include_url=False)
            if _is_literal(error["loc"], literal) or not _is_templated(drawn, error["loc"])
        ]
    return []


def _is_literal(place: tuple[int | str, ...], literal: Collection[str]) -> bool:
    return bool(place) and place[0] in literal


def _is_templated(drawn: Mapping[str, object], place: tuple[int | str, ...]) -> bool:
    return bool(place) and "{{" in repr(drawn.get(str(place[0])))
